-- Fetches Envoy's statistics and the metrics of applications and makes one list of families of them. CONF stands before
-- this text: what the policy says (script.ts).

-- Kuma's profile Basic (its kuma-dp has the list): the golden signals, and what its dashboards show.
local BASIC_EXACT = {
  envoy_cluster_membership_degraded = true,
  envoy_cluster_membership_healthy = true,
  envoy_cluster_membership_total = true,
}
local BASIC_PREFIXES = { "envoy_server", "envoy_control_plane", "envoy_dns_filter", "envoy_dns_cares" }
local BASIC_PARTS = {
  "_rq", "rq_time", "cx_length_ms", "cx_count", "cx_destroy", "cx_active", "cx_connect", "cx_total", "bytes", "timeout",
  "health_check", "lb_healthy_panic", "error", "fail", "reset", "eject", "overflow", "cancelled", "max_duration_reached",
  "no_cluster", "no_route", "no_filter_chain", "reject", "denied", "days_until_first_cert_expiring", "rbac",
  "circuit_breakers", "ssl_handshake", "ssl_context_update_by_sds",
}

local function is_basic(name)
  if BASIC_EXACT[name] then return true end
  for _, prefix in ipairs(BASIC_PREFIXES) do
    if name:sub(1, #prefix) == prefix then return true end
  end
  for _, part in ipairs(BASIC_PARTS) do
    if name:find(part, 1, true) then return true end
  end
  return false
end

-- Regular expressions come as automata (automaton.ts): for each state the next one by class of character, 0 for a match.
local function accepts(automaton, name)
  local state = 1
  for at = 1, #name do
    local class = automaton.classes[name:sub(at, at)]
    if class == nil then return false end
    state = automaton.states[state][class]
    if state == 0 then return true end
  end
  return automaton.final[state] == 1
end

local MATCHES = {
  Exact = function(selector, name) return name == selector.match end,
  Prefix = function(selector, name) return name:sub(1, #selector.match) == selector.match end,
  Contains = function(selector, name) return name:find(selector.match, 1, true) ~= nil end,
  Regex = function(selector, name) return accepts(selector.automaton, name) end,
}

local function any_matches(selectors, name)
  for _, selector in ipairs(selectors) do
    if MATCHES[selector.type](selector, name) then return true end
  end
  return false
end

local function is_wanted(name)
  if any_matches(CONF.include, name) then return true end
  if any_matches(CONF.exclude, name) then return false end
  return CONF.profile == "All" or (CONF.profile == "Basic" and is_basic(name))
end

-- The names of families are few and always the same: each is looked at once for as long as the policy stands.
local wanted = setmetatable({}, {
  __index = function(known, name)
    local is = is_wanted(name)
    known[name] = is
    return is
  end,
})

-- With Basic, what Envoy does for the mesh itself is left out.
local OWN = { 'envoy_cluster_name="system_', 'envoy_http_conn_manager_prefix="system_', 'envoy_listener_address="system_' }

local function is_own(line)
  if not line:find('="system_', 1, true) then return false end
  for _, text in ipairs(OWN) do
    if line:find(text, 1, true) then return true end
  end
  return false
end

local SUFFIXES = { [""] = true, _bucket = true, _sum = true, _count = true, _total = true, _created = true, _info = true }

local function belongs_to(name, family)
  return name:sub(1, #family) == family and SUFFIXES[name:sub(#family + 1)] or false
end

local function family_of(list, name)
  local family = list.by_name[name]
  if family == nil then
    family = { name = name, lines = {} }
    list.by_name[name] = family
    list[#list + 1] = family
  end
  return family
end

-- Labels as a list of { name, value as it is written }, and what stands after them.
local function labels_in(text)
  local labels = {}
  local at = 2
  while true do
    local name, value, after = text:match('^[%s,]*([%w_:%.]+)%s*=%s*"(.-)"()', at)
    if name == nil then break end
    -- A quote that a backslash stands before is part of the value.
    while value:match("\\*$"):len() % 2 == 1 do
      local more, stop = text:match('^(.-)"()', after)
      if more == nil then break end
      value, after = value .. '"' .. more, stop
    end
    labels[#labels + 1] = { name, value }
    at = after
  end
  return labels, text:match("^[%s,]*}(.*)$", at)
end

-- A page must not have a label twice: an application's own gets the name that Prometheus gives it in such a case.
local function with_exported(text)
  local labels, rest = labels_in(text)
  if rest == nil then return text end
  local parts = {}
  for _, label in ipairs(labels) do
    local name = CONF.labels[label[1]] and "exported_" .. label[1] or label[1]
    parts[#parts + 1] = name .. '="' .. label[2] .. '"'
  end
  return "{" .. table.concat(parts, ",") .. "}" .. rest
end

local function names_ours(text)
  for name in pairs(CONF.labels) do
    if text:find(name, 1, true) then return true end
  end
  return false
end

-- One metric with our labels in front of its own. A push to a collector states ours for itself: there is no text then.
local function labelled(name, rest, may_clash)
  if rest:sub(1, 1) ~= "{" then
    return CONF.labelText == "" and name .. rest or name .. "{" .. CONF.labelText .. "}" .. rest
  end
  if may_clash and names_ours(rest) then rest = with_exported(rest) end
  if CONF.labelText == "" then return name .. rest end
  if rest:find("^{%s*}") then return name .. "{" .. CONF.labelText .. rest:match("}.*") end
  return name .. "{" .. CONF.labelText .. "," .. rest:sub(2)
end

local function series_of(line)
  return line:match("^(.*})%s+%S") or line
end

-- Two sources may have the same family, such as process_cpu_seconds_total: their metrics are put together, and of two
-- that are the same the first one stays, or Prometheus would refuse one of them at random.
local function add_line(family, line, source)
  family.source = family.source or source
  if family.source ~= source or family.seen then
    if family.seen == nil then
      family.seen = {}
      for _, each in ipairs(family.lines) do family.seen[series_of(each)] = true end
    end
    local series = series_of(line)
    if family.seen[series] then return end
    family.seen[series] = true
  end
  family.lines[#family.lines + 1] = line
end

local function add_page(list, page, source, is_envoy)
  local is_selective = is_envoy and (CONF.profile ~= "All" or #CONF.exclude > 0)
  local leaves_own = is_envoy and CONF.profile == "Basic"
  local current
  for line in page:gmatch("[^\r\n]+") do
    if line:byte() == 35 then
      local what, name, rest = line:match("^#%s+(%u+)%s+([%a_:][%w_:]*)%s*(.*)$")
      if what == "TYPE" or what == "HELP" then
        current = family_of(list, name)
        local field = what == "TYPE" and "type" or "help"
        current[field] = current[field] or rest
      end
    else
      local name, rest = line:match("^([%a_:][%w_:]*)(.*)$")
      if name ~= nil then
        if current == nil or not (name == current.name or belongs_to(name, current.name)) then
          current = family_of(list, name)
        end
        if (not is_selective or wanted[current.name]) and not (leaves_own and is_own(rest)) then
          add_line(current, labelled(name, rest, not is_envoy), source)
        end
      end
    end
  end
end

-- Fetches one page after the other, because a script of Envoy's cannot wait for two; each gets its share of what time is
-- left, so that one that hangs does not take the others with it.
local function gather(handle, millis)
  local list = { by_name = {}, problems = {} }
  local deadline = tonumber(handle:timestamp()) + millis
  for index, source in ipairs(CONF.sources) do
    local left = deadline - tonumber(handle:timestamp())
    local share = math.max(50, math.floor(left / (#CONF.sources - index + 1)))
    local headers, body = handle:httpCall(source.cluster, {
      [":method"] = "GET",
      [":path"] = source.path,
      [":authority"] = source.authority,
      ["accept"] = "text/plain;version=0.0.4",
    }, nil, share)
    if headers[":status"] == "200" then
      add_page(list, body or "", index, source.isEnvoy)
    else
      list.problems[#list.problems + 1] = "Cannot read the metrics of " .. source.name .. " at " .. source.authority
        .. source.path .. ": it answered " .. tostring(headers[":status"])
    end
  end
  return list
end
