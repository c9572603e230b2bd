-- Envoy's health checker knocks at the interval of the policy (open-telemetry.ts); each time all metrics go to a collector
-- of OpenTelemetry, in the bytes that the protocol has for them:
-- https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto

local function varint(number)
  local bytes = {}
  while number >= 128 do
    bytes[#bytes + 1] = string.char(number % 128 + 128)
    number = math.floor(number / 128)
  end
  bytes[#bytes + 1] = string.char(number)
  return table.concat(bytes)
end

-- Fields of these kinds, by their numbers: https://protobuf.dev/programming-guides/encoding/
local function bytes_field(field, value) return string.char(field * 8 + 2) .. varint(#value) .. value end
local function number_field(field, value) return string.char(field * 8) .. varint(value) end
local function fixed_field(field, eight) return string.char(field * 8 + 1) .. eight end

local function little(low, high)
  local out = {}
  for _, word in ipairs({ low, high }) do
    for _ = 1, 4 do
      out[#out + 1] = string.char(word % 256)
      word = math.floor(word / 256)
    end
  end
  return table.concat(out)
end

local function fixed64(number) return little(number % 4294967296, math.floor(number / 4294967296)) end

-- Nanoseconds are more than a number of Lua's can hold to the last digit.
local function nanoseconds(millis)
  local low = (millis % 4294967296) * 1000000
  local high = math.floor(millis / 4294967296) * 1000000
  return little(low % 4294967296, high + math.floor(low / 4294967296))
end

local function double(value)
  if value == 0 then return little(0, 0) end
  if value ~= value then return little(0, 0x7FF80000) end
  local sign = value < 0 and 0x80000000 or 0
  value = math.abs(value)
  if value == math.huge then return little(0, sign + 0x7FF00000) end
  local fraction, exponent = math.frexp(value)
  local biased = exponent + 1022
  -- Below 2^-1022 there are only whole multiples of 2^-1074.
  local mantissa = biased > 0 and (fraction * 2 - 1) * 2 ^ 52 or fraction * 2 ^ (52 + biased)
  if biased < 0 or (biased == 0 and mantissa < 0) then biased = 0 end
  mantissa = math.floor(mantissa)
  return little(mantissa % 4294967296, sign + biased * 1048576 + math.floor(mantissa / 4294967296))
end

local ESCAPED = { n = "\n", ['"'] = '"', ["\\"] = "\\" }

-- Collectors refuse a whole batch for one text that is not UTF-8.
local function clean(text)
  if not text:find("[\128-\255]") then return text end
  local rest = text:gsub("[\194-\223][\128-\191]", ""):gsub("[\224-\239][\128-\191][\128-\191]", "")
  rest = rest:gsub("[\240-\244][\128-\191][\128-\191][\128-\191]", "")
  return rest:find("[\128-\255]") and text:gsub("[\128-\255]", "?") or text
end

local function attribute(name, value)
  local text = clean(value:gsub("\\(.)", ESCAPED))
  return bytes_field(1, name) .. bytes_field(2, bytes_field(1, text))
end

local function attribute_fields(field, labels)
  local parts = {}
  for _, label in ipairs(labels) do parts[#parts + 1] = bytes_field(field, attribute(label[1], label[2])) end
  return table.concat(parts)
end

local GAUGE, SUM, HISTOGRAM = 5, 7, 9
local OURS = { [7] = attribute_fields(7, CONF.attributes), [9] = attribute_fields(9, CONF.attributes) }
-- Cumulative, and for a counter: it only grows.
local ABOUT = { [GAUGE] = "", [SUM] = number_field(2, 2) .. number_field(3, 1), [HISTOGRAM] = number_field(2, 2) }

local function number_point(now, labels, value)
  return fixed_field(3, now) .. fixed_field(4, double(value)) .. attribute_fields(7, labels) .. OURS[7]
end

local VALUES = { ["+Inf"] = math.huge, Inf = math.huge, ["-Inf"] = -math.huge, NaN = 0 / 0 }

-- A line in its parts: what the name has beyond the family's, labels, and the value; nothing when it has none.
local function read_line(line, family)
  local name, rest = line:match("^([%w_:]+)(.*)$")
  local labels = {}
  if rest:sub(1, 1) == "{" then labels, rest = labels_in(rest) end
  local text = rest and rest:match("^%s*(%S+)")
  local value = text and (VALUES[text] or tonumber(text))
  if value ~= nil then return name:sub(#family + 1), labels, value end
end

local function without(labels, name)
  local kept, found = {}, nil
  for _, label in ipairs(labels) do
    if label[1] == name then found = label[2] else kept[#kept + 1] = label end
  end
  return kept, found
end

local function key_of(labels)
  local parts = {}
  for _, label in ipairs(labels) do parts[#parts + 1] = label[1] .. "=" .. label[2] end
  table.sort(parts)
  return table.concat(parts, ",")
end

local function histogram_point(now, histogram)
  table.sort(histogram, function(a, b) return a[1] < b[1] end)
  local bounds, counts, before = {}, {}, 0
  for _, bucket in ipairs(histogram) do
    if bucket[1] < math.huge then bounds[#bounds + 1] = double(bucket[1]) end
    counts[#counts + 1] = fixed64(math.max(0, bucket[2] - before))
    before = bucket[2]
  end
  -- One bucket is above the last bound, whether it was stated or not.
  if #counts == #bounds then counts[#counts + 1] = fixed64(math.max(0, (histogram.count or before) - before)) end
  return fixed_field(3, now) .. fixed_field(4, fixed64(histogram.count or before))
    .. fixed_field(5, double(histogram.sum or 0)) .. bytes_field(6, table.concat(counts))
    .. bytes_field(7, table.concat(bounds)) .. attribute_fields(9, histogram.labels) .. OURS[9]
end

local function add_histogram(family, now, add)
  local list, by_key = {}, {}
  for _, line in ipairs(family.lines) do
    local suffix, all, value = read_line(line, family.name)
    if suffix ~= nil then
      local labels, le = without(all, "le")
      local key = key_of(labels)
      local histogram = by_key[key]
      if histogram == nil then
        histogram = { labels = labels }
        by_key[key] = histogram
        list[#list + 1] = histogram
      end
      local bound = le and (VALUES[le] or tonumber(le))
      if suffix == "_bucket" and bound then histogram[#histogram + 1] = { bound, value } end
      if suffix == "_sum" then histogram.sum = value end
      if suffix == "_count" then histogram.count = value end
    end
  end
  for _, histogram in ipairs(list) do add(family.name, HISTOGRAM, histogram_point(now, histogram)) end
end

-- Quantiles are gauges, as they are with Kuma; what a summary counts and sums up are counters.
local function add_numbers(family, now, add)
  for _, line in ipairs(family.lines) do
    local suffix, labels, value = read_line(line, family.name)
    if suffix ~= nil then
      local grows = family.type == "counter" or (family.type == "summary" and suffix ~= "")
      add(family.name .. suffix, grows and SUM or GAUGE, number_point(now, labels, value))
    end
  end
end

local RESOURCE = bytes_field(1, bytes_field(1, attribute("service.name", CONF.service)))
local SCOPE = bytes_field(1, bytes_field(1, "kuma"))
-- Collectors take 4 MiB in one message unless told otherwise.
local BATCH_BYTES = 2000000

-- Metrics in messages of a bounded size.
local function batches_of(list, now)
  local batches, metrics, bytes = {}, {}, 0
  local points, of, size = {}, nil, 0
  local function end_metric()
    if #points == 0 then return end
    local metric = bytes_field(1, of.name) .. bytes_field(2, clean(of.help))
      .. bytes_field(of.kind, table.concat(points) .. ABOUT[of.kind])
    metrics[#metrics + 1] = bytes_field(2, metric)
    bytes = bytes + #metric
    points, size = {}, 0
  end
  local function end_batch()
    end_metric()
    if #metrics == 0 then return end
    batches[#batches + 1] = bytes_field(1, RESOURCE .. bytes_field(2, SCOPE .. table.concat(metrics)))
    metrics, bytes = {}, 0
  end
  for _, family in ipairs(list) do
    local function add(name, kind, point)
      if of == nil or of.name ~= name or of.kind ~= kind then
        end_metric()
        of = { name = name, kind = kind, help = family.help or "" }
      end
      points[#points + 1] = bytes_field(1, point)
      size = size + #point
      if bytes + size > BATCH_BYTES then end_batch() end
    end
    if family.type == "histogram" then add_histogram(family, now, add) else add_numbers(family, now, add) end
  end
  end_batch()
  return batches
end

local function send(handle, message)
  local export = CONF.export
  local headers = {
    [":method"] = "POST", [":path"] = export.path, [":authority"] = export.authority, [":scheme"] = export.scheme,
  }
  local body = message
  if export.grpc then
    headers["content-type"], headers["te"] = "application/grpc", "trailers"
    local size = fixed64(#message)
    body = "\0" .. size:sub(4, 4) .. size:sub(3, 3) .. size:sub(2, 2) .. size:sub(1, 1) .. message
  else
    headers["content-type"] = "application/x-protobuf"
  end
  local answer = handle:httpCall(export.cluster, headers, body, CONF.pushMillis)
  local code = answer["grpc-status"] or "0"
  if answer[":status"] == "200" and code == "0" then return nil end
  return "status " .. tostring(answer[":status"]) .. (export.grpc and ", grpc-status " .. code or "")
end

local failure

-- A collector that is away is told of once, not at every interval.
local function note(handle, problem)
  if problem ~= nil and failure == nil then
    handle:logWarn("Cannot send metrics to " .. CONF.export.authority .. ": " .. problem .. "; trying again at each interval")
  elseif problem == nil and failure ~= nil then
    handle:logWarn("Metrics arrive at " .. CONF.export.authority .. " again")
  end
  failure = problem
end

function envoy_on_request(handle)
  local now = nanoseconds(tonumber(handle:timestamp()))
  local list = gather(handle, CONF.gatherMillis)
  local problem
  for _, batch in ipairs(batches_of(list, now)) do problem = send(handle, batch) or problem end
  note(handle, problem)
  handle:respond({ [":status"] = "200" }, "")
end
