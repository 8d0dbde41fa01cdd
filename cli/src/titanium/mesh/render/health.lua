-- GET /health at the gateway: asks every service whether it is ready.
-- The route's filter context carries `services` (cluster names) and `timeout_ms` (for each).
-- `ratelimit` is a placeholder that the header_mutation filter fills in.
-- Answers 200 {"status":"ok"}, or 503 with a problem that names the parts that fail.

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', '') .. '"'
end

function envoy_on_request(handle)
  -- Read first: the context is gone once the script has waited for an answer.
  local context = handle:filterContext()
  local services, timeout = context:get("services"), context:get("timeout_ms")
  local failing, checks = {}, {}
  for _, service in ipairs(services) do
    local headers = handle:httpCall(service, {
      [":method"] = "GET",
      [":path"] = "/internal/readyz",
      [":authority"] = service,
    }, "", timeout)
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
      ["ratelimit"] = "limited",
    }, '{"status":"ok"}')
    return
  end
  -- Marks the answer as complete, so that the local reply rules leave its body as it is.
  handle:headers():replace("x-titanium-complete", "1")
  handle:respond({
    [":status"] = "503",
    ["content-type"] = "application/problem+json",
    ["cache-control"] = "no-store",
    ["retry-after"] = "1",
    ["ratelimit"] = "limited",
  }, '{"type":"about:blank","title":"Service Unavailable","status":503,"detail":'
    .. quoted("Not ready: " .. table.concat(failing, ", ") .. ".")
    .. ',"instance":"/health","request_id":'
    .. quoted(handle:headers():get("x-request-id") or "")
    .. ',"checks":{' .. table.concat(checks, ",") .. "}}")
end
