-- Latencies over a stretch of time, in the columns that the US tape publishes; histograms are added up, not averaged.
-- :from = 1970-01-01T00:00:00Z   intervals that begin from this moment on
-- :to = 2262-01-01T00:00:00Z   and before this moment
SELECT s.kind, s.name, s.from_point || ' -> ' || s.to_point AS series, sum(i.count) AS count,
    sum(i.negative) AS negative, min(i.min_ns) AS min_ns, latency_ns(i.positive, i.negatives, 50) AS median_ns,
    latency_ns(i.positive, i.negatives, 10) AS p10_ns, latency_ns(i.positive, i.negatives, 90) AS p90_ns,
    latency_ns(i.positive, i.negatives, 95) AS p95_ns, latency_ns(i.positive, i.negatives, 99) AS p99_ns,
    latency_ns(i.positive, i.negatives, 99.9) AS p999_ns, latency_ns(i.positive, i.negatives, 99.99) AS p9999_ns,
    max(i.max_ns) AS max_ns
FROM latency_interval i JOIN current_run r USING (run) JOIN series s USING (series)
WHERE i.start_ns >= ns(:from) AND i.start_ns < ns(:to)
GROUP BY s.series ORDER BY s.kind DESC, s.name, series
