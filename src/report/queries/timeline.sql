WITH watched AS (
    SELECT start_ns / {bucket} * {bucket} AS bucket, sum(watched_ns) AS ns FROM {watch} GROUP BY bucket),
told AS (
    SELECT raised_ns / {bucket} * {bucket} AS bucket, sum(severity = 'critical') AS critical, sum(severity = 'major') AS major,
        sum(severity = 'minor') AS minor, sum(severity = 'info') AS info
    FROM alert JOIN current_run USING (run) WHERE raised_ns >= {from} AND raised_ns < {to} GROUP BY bucket),
lasted AS (
    SELECT start_ns / {bucket} * {bucket} AS bucket, sum(iif(kind = 'divergent', time_ns / 1000, 0)) AS divergent,
        sum(iif(kind = 'lagging', time_ns / 1000, 0)) AS lagging, sum(iif(kind = 'stale', time_ns / 1000, 0)) AS stale,
        sum(iif(kind = 'gap', time_ns / 1000, 0)) AS gap, sum(iif(kind = 'silent', time_ns / 1000, 0)) AS silent,
        sum(iif(kind NOT IN ('divergent', 'lagging', 'stale', 'gap', 'silent'), time_ns / 1000, 0)) AS other
    FROM {alert_time} GROUP BY bucket)
SELECT w.bucket AS from_at_ns, w.ns AS watched_ns, coalesce(t.critical, 0) AS critical, coalesce(t.major, 0) AS major,
    coalesce(t.minor, 0) AS minor, coalesce(t.info, 0) AS info, coalesce(l.divergent, 0) AS divergent_us,
    coalesce(l.lagging, 0) AS lagging_us, coalesce(l.stale, 0) AS stale_us, coalesce(l.gap, 0) AS gap_us,
    coalesce(l.silent, 0) AS silent_us, coalesce(l.other, 0) AS other_us
FROM watched w LEFT JOIN told t USING (bucket) LEFT JOIN lasted l USING (bucket)
WHERE w.ns > 0 ORDER BY w.bucket
