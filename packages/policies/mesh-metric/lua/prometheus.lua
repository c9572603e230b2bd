-- Answers a scrape with one page.
function envoy_on_request(handle)
  local headers = handle:headers()
  if (headers:get(":path") or ""):match("^[^?]*") ~= CONF.path then return end
  local seconds = tonumber(headers:get("x-prometheus-scrape-timeout-seconds") or "") or 10
  local list = gather(handle, seconds * 900)
  local parts = {}
  for _, problem in ipairs(list.problems) do parts[#parts + 1] = "# " .. problem end
  for _, family in ipairs(list) do
    if #family.lines > 0 then
      if family.help then parts[#parts + 1] = "# HELP " .. family.name .. " " .. family.help end
      if family.type then parts[#parts + 1] = "# TYPE " .. family.name .. " " .. family.type end
      parts[#parts + 1] = table.concat(family.lines, "\n")
    end
  end
  parts[#parts + 1] = ""
  local answer = { [":status"] = "200", ["content-type"] = "text/plain; version=0.0.4; charset=utf-8" }
  handle:respond(answer, table.concat(parts, "\n"))
end
