SELECT s.name AS source, c.name AS channel, i.kind, sum(i.count) AS count
FROM {contradiction} i JOIN channel c USING (channel) JOIN source s USING (source)
GROUP BY i.channel, i.kind HAVING sum(i.count) > 0 ORDER BY s.name, c.name, count DESC, i.kind
