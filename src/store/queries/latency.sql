-- Latencies over a stretch of time, in the columns that the US tape publishes; histograms are added up, not averaged.
-- :from = 1970-01-01T00:00:00Z   intervals that begin from this moment on
-- :to = 2262-01-01T00:00:00Z   and before this moment
WITH span AS (
    SELECT ns(:from) AS from_ns, ns(:to) AS to_ns, 86400000000000 AS day_ns
), days AS (
    SELECT from_ns, to_ns, (from_ns + day_ns - 1) / day_ns * day_ns AS first_ns, to_ns / day_ns * day_ns AS end_ns FROM span
), kept AS (
    -- Whole days have been added up already; what is left at the edges is taken by interval.
    SELECT i.* FROM days CROSS JOIN latency_day i WHERE i.start_ns >= first_ns AND i.start_ns < end_ns
    UNION ALL
    SELECT i.* FROM days CROSS JOIN latency_interval i WHERE i.start_ns >= from_ns AND i.start_ns < min(first_ns, to_ns)
    UNION ALL
    SELECT i.* FROM days CROSS JOIN latency_interval i WHERE i.start_ns >= max(first_ns, end_ns) AND i.start_ns < to_ns
), added AS (
    SELECT i.series, sum(i.count) AS count, sum(i.negative) AS negative, min(i.min_ns) AS min_ns, max(i.max_ns) AS max_ns,
        latency_percentiles(i.positive, i.negatives) AS p
    FROM kept i JOIN current_run r USING (run) GROUP BY i.series
)
SELECT s.kind, s.name, s.from_point || ' -> ' || s.to_point AS series, count, negative, min_ns,
    json_extract(p, '$[4]') AS median_ns, json_extract(p, '$[3]') AS p10_ns, json_extract(p, '$[5]') AS p90_ns,
    json_extract(p, '$[6]') AS p95_ns, json_extract(p, '$[7]') AS p99_ns, json_extract(p, '$[8]') AS p999_ns,
    json_extract(p, '$[9]') AS p9999_ns, max_ns
FROM added JOIN series s USING (series) ORDER BY s.kind DESC, s.name, series
