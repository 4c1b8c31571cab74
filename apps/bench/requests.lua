-- For wrk: asks with the header fields of a file, one a line, in turn; an empty line asks without any. Ends with a line
-- of JSON that says what came of it.
local requests, at = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local name, value = line:match("^([^:]+): (.*)$")
    requests[#requests + 1] = wrk.format(nil, nil, name and { [name] = value })
  end
  io.write("ready\n")
  io.flush()
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%.0f,"bytes":%.0f,"microseconds":%.0f,"refused":%d,"broken":%d,"timeouts":%d}\n',
    summary.requests, summary.bytes, summary.duration,
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
