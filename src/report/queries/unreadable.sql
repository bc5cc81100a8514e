SELECT s.name AS source, c.name AS channel, f.kind, min(f.ts_ns) AS first_at_ns, f.capture, f.frame,
    count(*) AS runs
FROM first_seen f JOIN channel c USING (channel) JOIN source s USING (source) JOIN current_run USING (run)
WHERE f.what = 'error' AND f.ts_ns >= {from} AND f.ts_ns < {to}
GROUP BY f.channel, f.kind ORDER BY s.name, c.name, first_at_ns
