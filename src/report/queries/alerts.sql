SELECT a.kind, a.severity, a.cause, count(*) AS alerts, sum(a.cleared_ns IS NULL) AS open,
    sum(a.duration_ns / 1000) AS lasted_us, max(a.duration_ns) AS longest_ns
FROM alert a JOIN current_run r USING (run)
WHERE a.raised_ns >= {from} AND a.raised_ns < {to}
GROUP BY a.kind, a.severity, a.cause ORDER BY alerts DESC, a.kind, a.severity, a.cause
