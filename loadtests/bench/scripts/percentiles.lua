-- wrk prints the percentiles that the accuracy table needs, in microseconds, as one line of JSON.
done = function(summary, latency, requests)
  local line = '{"count": %d, "p50": %d, "p95": %d, "p99": %d, "p99.9": %d, "max": %d}'
  io.write(string.format(line, summary.requests, latency:percentile(50), latency:percentile(95),
    latency:percentile(99), latency:percentile(99.9), latency.max), "\n")
end
