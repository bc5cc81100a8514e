WITH merged AS (
    SELECT series, latency_percentiles(positive, negatives) AS p, sum(saturated) AS saturated
    FROM {latency} GROUP BY series)
SELECT s.kind, s.name AS source, s.from_point AS "from", s.to_point AS "to", json_extract(p, '$[0]') AS count,
    json_extract(p, '$[4]') AS median_ns, json_extract(p, '$[3]') AS p10_ns, json_extract(p, '$[5]') AS p90_ns,
    json_extract(p, '$[6]') AS p95_ns, json_extract(p, '$[7]') AS p99_ns, json_extract(p, '$[8]') AS p999_ns,
    json_extract(p, '$[9]') AS p9999_ns, json_extract(p, '$[2]') AS min_ns, json_extract(p, '$[10]') AS max_ns,
    json_extract(p, '$[1]') AS negative, saturated,
    CASE s.kind WHEN 'venue' THEN v.error_ns WHEN 'sources' THEN a.error_ns + b.error_ns END AS clock_error_ns
FROM merged JOIN series s USING (series) LEFT JOIN {clock_errors} v ON v.name = s.name
    LEFT JOIN {clock_errors} a ON a.name = s.from_point LEFT JOIN {clock_errors} b ON b.name = s.to_point
ORDER BY s.kind, s.name, s.from_point, s.to_point
