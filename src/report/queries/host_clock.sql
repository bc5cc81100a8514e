WITH look AS (
    SELECT *, {host} AS host, {time_source} AS time_source
    FROM host_clock JOIN current_run USING (run) WHERE ts_ns >= {from} AND ts_ns < {to})
SELECT host, time_source, count(*) AS samples, sum(synchronised) AS synchronised, max(abs(offset_ns)) AS offset_most_ns,
    max(error_max_ns) AS error_most_ns, {tolerance} AS tolerance_ns,
    sum(synchronised = 0 OR abs(offset_ns) + error_max_ns > {tolerance}) AS out_of_tolerance, min(ts_ns) AS first_at_ns,
    max(ts_ns) AS last_at_ns
FROM look GROUP BY host, time_source ORDER BY host, time_source
