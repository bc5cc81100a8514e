SELECT i.kind, i.cause, i.about, a.name AS source, coalesce(b.name, '') AS against, sum(i.time_ns / 1000) AS time_us
FROM {alert_time} i JOIN source a ON a.source = i.first LEFT JOIN source b ON b.source = i.second AND i.second <> 0
GROUP BY i.kind, i.cause, i.about, i.first, i.second HAVING sum(i.time_ns) > 0
ORDER BY time_us DESC, i.kind, a.name, against
