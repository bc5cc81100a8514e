WITH told AS (
    SELECT alert.first AS source, alert.kind AS what, count(*) AS alerts FROM alert JOIN current_run r USING (run)
    WHERE alert.kind IN ('stale', 'silent') AND raised_ns >= {from} AND raised_ns < {to} GROUP BY source, what),
lasted AS (
    SELECT first AS source, kind AS what, sum(time_ns / 1000) AS us FROM {alert_time}
    WHERE kind IN ('stale', 'silent') GROUP BY source, what)
SELECT s.name AS source, l.what AS kind, coalesce(t.alerts, 0) AS alerts, l.us AS time_us
FROM lasted l JOIN source s USING (source) LEFT JOIN told t USING (source, what)
WHERE l.us > 0 OR t.alerts > 0 ORDER BY s.name, l.what
