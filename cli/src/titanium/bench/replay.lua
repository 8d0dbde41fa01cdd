-- Sends prepared requests one after the other, from the first again after the last, and reports
-- as one JSON line. Argument: a file of records, each "<length>\n<bytes>".

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local records = {}
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    records[#records + 1] = file:read(length)
  end
  file:close()
  local position, count = 0, #records
  request = function()
    position = position % count + 1
    return records[position]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"refused":%d,"connect":%d,"read":%d,"write":%d,' ..
    '"timeout":%d,"p50":%.1f,"p95":%.1f,"p99":%.1f}\n',
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write,
    errors.timeout, latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
