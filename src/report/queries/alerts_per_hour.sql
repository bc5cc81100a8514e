SELECT a.raised_ns / 3600000000000 * 3600000000000 AS hour_at_ns, count(*) AS alerts,
    sum(a.severity = 'critical') AS critical, sum(a.severity = 'major') AS major, sum(a.severity = 'minor') AS minor,
    sum(a.severity = 'info') AS info
FROM alert a JOIN current_run r USING (run)
WHERE a.raised_ns >= {from} AND a.raised_ns < {to}
GROUP BY hour_at_ns ORDER BY alerts DESC, hour_at_ns LIMIT 24
