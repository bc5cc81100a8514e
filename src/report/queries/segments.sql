SELECT a.name AS first, b.name AS second, i.kind, sum(i.segments) AS disagreements
FROM {segment} i JOIN source a ON a.source = i.first JOIN source b ON b.source = i.second
GROUP BY i.first, i.second, i.kind ORDER BY a.name, b.name, disagreements DESC, i.kind
