WITH suspect AS (
    SELECT first AS source, sum(time_ns) AS ns FROM {alert_time} WHERE kind = 'gap' GROUP BY first)
SELECT s.name AS source, c.name AS channel, sum(i.messages) AS messages, sum(i.gaps) AS gaps,
    sum(i.missing) AS messages_missing, sum(i.missing_ours) AS lost_here, sum(i.filled_late) AS came_late,
    sum(i.missing - i.filled_late) AS unrecovered, sum(i.recovered) AS recovered_in_time,
    CASE WHEN sum(i.messages) + sum(i.missing) > 0
        THEN CAST(1000000.0 * sum(i.messages) / (sum(i.messages) + sum(i.missing)) AS INTEGER) END AS complete_ppm,
    coalesce(max(q.ns), 0) AS source_suspect_ns
FROM {channel} i JOIN channel c USING (channel) JOIN source s USING (source) LEFT JOIN suspect q USING (source)
GROUP BY c.channel ORDER BY s.name, c.name
