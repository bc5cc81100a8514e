SELECT i.kind, i.scope, a.name AS source, coalesce(b.name, '') AS against, sum(i.times) AS times,
    sum(i.time_ns / 1000) AS time_us
FROM {crossing} i JOIN source a ON a.source = i.first LEFT JOIN source b ON b.source = i.second AND i.second <> 0
GROUP BY i.kind, i.scope, i.first, i.second HAVING sum(i.times) > 0 OR sum(i.time_ns) > 0
ORDER BY i.kind, i.scope, a.name, against
