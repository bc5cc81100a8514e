WITH suspect AS (
    SELECT first AS source, sum(time_ns) AS ns FROM {alert_time} WHERE kind = 'gap' GROUP BY first),
arrived AS (
    SELECT l.channel, sum(p.messages_won) AS numbers FROM {line} p JOIN line l USING (line) GROUP BY l.channel)
SELECT s.name AS source, c.name AS channel, sum(i.messages) AS messages, sum(i.gaps) AS gaps,
    CASE WHEN EXISTS (SELECT 1 FROM run_source r WHERE r.source = c.source AND r.feed IN ({packet_feeds}))
        THEN 'packets' ELSE 'messages' END AS numbered,
    sum(i.missing) AS messages_missing, sum(i.missing_ours) AS lost_here, sum(i.filled_late) AS came_late,
    sum(i.missing - i.filled_late) AS unrecovered, sum(i.recovered) AS recovered_in_time,
    CASE WHEN a.numbers + sum(i.missing) > 0
        THEN CAST(1000000.0 * a.numbers / (a.numbers + sum(i.missing)) AS INTEGER) END AS complete_ppm,
    coalesce(max(q.ns), 0) AS source_suspect_ns
FROM {channel} i JOIN channel c USING (channel) JOIN source s USING (source) LEFT JOIN suspect q USING (source)
    LEFT JOIN arrived a ON a.channel = i.channel
GROUP BY c.channel ORDER BY s.name, c.name
