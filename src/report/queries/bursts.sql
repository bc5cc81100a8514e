WITH part AS (SELECT * FROM {burst}),
peak AS (
    SELECT source, line, window_ns, max(packets) AS packets, max(messages) AS messages, max(bytes) AS bytes
    FROM part GROUP BY source, line, window_ns),
placed AS (
    SELECT p.*, (SELECT min(i.start_ns) FROM part i WHERE i.source = p.source AND i.line = p.line
        AND i.window_ns = p.window_ns AND i.messages = p.messages) AS at_ns
    FROM peak p)
SELECT s.name AS source, CASE p.line WHEN 0 THEN 'all lines' ELSE c.name || '/' || l.name END AS line, p.window_ns,
    p.messages, p.packets, p.bytes,
    coalesce((SELECT min(i.start_ns) FROM burst_interval i JOIN current_run USING (run)
        WHERE i.start_ns >= p.at_ns AND i.start_ns < p.at_ns + 86400000000000 AND i.source = p.source
            AND i.line = p.line AND i.window_ns = p.window_ns AND i.messages = p.messages), p.at_ns) AS busiest_at_ns
FROM placed p JOIN source s USING (source) LEFT JOIN line l ON l.line = p.line AND p.line <> 0
    LEFT JOIN channel c ON c.channel = l.channel
ORDER BY s.name, p.line <> 0, line, p.window_ns
