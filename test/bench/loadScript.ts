/**
 * The script for `wrk`: requests with different tokens, and a machine-readable result.
 *
 * Its arguments: a file of tokens (one for each line), the number of lines to skip, the number to use, and a file with
 * the body or `-`.
 */
export const loadScript = `
local threads, requests, position = {}, {}, 0
repeats = 0

function setup(thread) table.insert(threads, thread) end

function init(args)
  local from, count = tonumber(args[2]), tonumber(args[3])
  if args[4] ~= "-" then
    local file = io.open(args[4], "rb")
    wrk.method, wrk.body = "POST", file:read("*a")
    file:close()
  end
  local line = 0
  for token in io.lines(args[1]) do
    line = line + 1
    if line > from + count then break end
    if line > from then
      wrk.headers["Authorization"] = "Bearer " .. token
      requests[#requests + 1] = wrk.format()
    end
  end
end

function request()
  position = position + 1
  if position > #requests then position, repeats = 1, repeats + 1 end
  return requests[position]
end

function done(summary, latency)
  local passes = 0
  for _, thread in ipairs(threads) do passes = math.max(passes, thread:get("repeats")) end
  local errors = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests":%d,"seconds":%.6f,"bytes":%.0f,"rejections":%d,"broken":%d,"p50":%.0f,"p99":%.0f,"repeats":%d}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), passes))
end
`
