-- GET /health at the gateway: asks every service whether it is ready.
-- The route's filter context carries `services` (cluster names) and `timeout_ms` (for each).
-- Answers 200 {"status":"ok"}, or 503 with a problem that names the parts that fail.

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', '') .. '"'
end

function envoy_on_request(handle)
  local context = handle:filterContext()
  local failing, checks = {}, {}
  for _, service in ipairs(context["services"]) do
    local headers = handle:httpCall(service, {
      [":method"] = "GET",
      [":path"] = "/internal/readyz",
      [":authority"] = service .. ".titanium.internal",
    }, "", context["timeout_ms"])
    local state = "ok"
    if headers == nil or headers[":status"] ~= "200" then
      state = "failing"
      table.insert(failing, service)
    end
    table.insert(checks, quoted(service) .. ":" .. quoted(state))
  end
  if #failing == 0 then
    handle:respond({
      [":status"] = "200",
      ["content-type"] = "application/json",
      ["cache-control"] = "no-store",
    }, '{"status":"ok"}')
    return
  end
  handle:respond({
    [":status"] = "503",
    ["content-type"] = "application/problem+json",
    ["cache-control"] = "no-store",
    ["retry-after"] = "1",
  }, '{"type":"about:blank","title":"Service Unavailable","status":503,"detail":'
    .. quoted("Not ready: " .. table.concat(failing, ", ") .. ".")
    .. ',"instance":"/health","request_id":'
    .. quoted(handle:headers():get("x-request-id") or "")
    .. ',"checks":{' .. table.concat(checks, ",") .. "}}")
end
