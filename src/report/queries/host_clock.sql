WITH rule AS (
    {clock_rules}),
look AS (
    SELECT c.*, rule.rule, rule.tolerance_ns, {host} AS host, {time_source} AS time_source
    FROM host_clock c JOIN current_run USING (run) LEFT JOIN rule ON c.ts_ns >= rule.from_ns AND c.ts_ns < rule.until_ns
    WHERE c.ts_ns >= {from} AND c.ts_ns < {to})
SELECT host, time_source, rule, tolerance_ns, count(*) AS looks, sum(synchronised) AS synchronised,
    max(abs(offset_ns)) AS offset_most_ns, max(error_max_ns) AS error_most_ns,
    CASE WHEN rule IS NOT NULL THEN sum(synchronised = 0 OR abs(offset_ns) + error_max_ns > tolerance_ns) END AS out_of_tolerance,
    min(ts_ns) AS first_at_ns, max(ts_ns) AS last_at_ns
FROM look GROUP BY host, time_source, rule, tolerance_ns ORDER BY host, time_source, first_at_ns
