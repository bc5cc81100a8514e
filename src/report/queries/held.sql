SELECT a.name AS first, b.name AS second, i.reason, sum(i.held_ns / 1000) AS held_us, sum(i.differences) AS differences
FROM {held} i JOIN source a ON a.source = i.first JOIN source b ON b.source = i.second
GROUP BY i.first, i.second, i.reason HAVING sum(i.held_ns / 1000) > 0 OR sum(i.differences) > 0
ORDER BY a.name, b.name, held_us DESC, i.reason
