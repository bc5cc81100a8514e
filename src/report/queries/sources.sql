WITH watched AS (
    SELECT rs.source, sum(w.watched_ns) AS ns FROM {watch} w JOIN run_source rs USING (run)
    WHERE rs.feed <> 'composite' GROUP BY rs.source),
busy AS (
    SELECT source, sum(seconds) AS seconds FROM (
        SELECT c.source, i.start_ns, i.run, max(i.busy_seconds) AS seconds
        FROM {channel} i JOIN channel c USING (channel) GROUP BY c.source, i.start_ns, i.run)
    GROUP BY source),
traffic AS (
    SELECT c.source, sum(i.packets) AS packets, sum(i.messages) AS messages, sum(i.bytes) AS bytes,
        sum(i.unknown) AS unknown, sum(i.errors) AS unreadable
    FROM {channel} i JOIN channel c USING (channel) GROUP BY c.source),
refused AS (
    SELECT c.source, sum(i.refused) AS packets
    FROM {line} i JOIN line l USING (line) JOIN channel c USING (channel) GROUP BY c.source),
silent AS (
    SELECT first AS source, sum(time_ns) AS ns FROM {alert_time}
    WHERE kind = 'silent' AND about = 'source' GROUP BY first)
SELECT s.name AS source, w.ns AS watched_ns,
    CASE WHEN t.packets > 0 AND w.ns > 0
        THEN CAST(1000000.0 * max(0, w.ns - coalesce(q.ns, 0)) / w.ns AS INTEGER) END AS available_ppm,
    coalesce(q.ns, 0) AS silent_ns, b.seconds AS seconds_with_data, coalesce(t.packets, 0) AS packets,
    coalesce(t.messages, 0) AS messages, coalesce(t.bytes, 0) AS bytes, coalesce(t.unknown, 0) AS unknown_messages,
    coalesce(t.unreadable, 0) AS unreadable, coalesce(r.packets, 0) AS packets_refused
FROM watched w JOIN source s USING (source) LEFT JOIN busy b USING (source) LEFT JOIN traffic t USING (source)
    LEFT JOIN silent q USING (source) LEFT JOIN refused r USING (source)
ORDER BY s.name
