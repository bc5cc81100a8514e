WITH watched AS (
    SELECT w.start_ns / 86400000000000 * 86400000000000 AS day, rs.source, sum(w.watched_ns) AS ns
    FROM {watch} w JOIN run_source rs USING (run) WHERE rs.feed <> 'composite' GROUP BY day, rs.source),
traffic AS (
    SELECT i.start_ns / 86400000000000 * 86400000000000 AS day, c.source, sum(i.messages) AS messages,
        sum(i.gaps) AS gaps, sum(i.missing - i.filled_late) AS unrecovered
    FROM {channel} i JOIN channel c USING (channel) GROUP BY day, c.source),
silent AS (
    SELECT start_ns / 86400000000000 * 86400000000000 AS day, first AS source, sum(time_ns) AS ns
    FROM {alert_time} WHERE kind = 'silent' AND about = 'source' GROUP BY day, first),
raised AS (
    SELECT a.raised_ns / 86400000000000 * 86400000000000 AS day, a.first AS source, count(*) AS alerts
    FROM alert a JOIN current_run USING (run) WHERE a.raised_ns >= {from} AND a.raised_ns < {to} GROUP BY day, a.first)
SELECT w.day AS day_at_ns, s.name AS source, w.ns AS watched_ns,
    CASE WHEN t.messages > 0 AND w.ns > 0
        THEN CAST(1000000.0 * max(0, w.ns - coalesce(q.ns, 0)) / w.ns AS INTEGER) END AS available_ppm,
    coalesce(t.messages, 0) AS messages, coalesce(t.gaps, 0) AS gaps, coalesce(t.unrecovered, 0) AS unrecovered,
    coalesce(r.alerts, 0) AS alerts
FROM watched w JOIN source s USING (source) LEFT JOIN traffic t USING (day, source) LEFT JOIN silent q USING (day, source)
    LEFT JOIN raised r USING (day, source)
ORDER BY w.day, s.name
