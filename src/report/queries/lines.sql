WITH part AS (
    SELECT line, sum(packets) AS packets, sum(messages) AS messages, sum(won) AS won, sum(messages_won) AS messages_won,
        sum(duplicates) AS duplicates, sum(late) AS late, sum(out_of_order) AS out_of_order, sum(losses) AS losses,
        sum(messages_lost) AS messages_lost, sum(messages_only) AS messages_only
    FROM {line} GROUP BY line),
whole AS (SELECT l.channel, sum(p.won) AS won, count(*) AS lines FROM part p JOIN line l USING (line) GROUP BY l.channel)
SELECT s.name AS source, c.name AS channel, l.name AS line, p.packets, p.won AS packets_first,
    CASE WHEN w.won > 0 THEN CAST(1000000.0 * p.won / w.won AS INTEGER) END AS first_ppm,
    CASE WHEN EXISTS (SELECT 1 FROM run_source r WHERE r.source = c.source AND r.feed IN ({packet_feeds}))
        THEN 'packets' ELSE 'messages' END AS numbered,
    p.messages_lost, p.losses,
    p.late AS packets_late, p.duplicates, p.out_of_order,
    CASE WHEN w.lines > 1 THEN p.messages_only END AS messages_only_here
FROM part p JOIN line l USING (line) JOIN channel c USING (channel) JOIN source s USING (source)
    JOIN whole w USING (channel)
ORDER BY s.name, c.name, l.name
