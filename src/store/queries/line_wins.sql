-- What each line was worth, by day: how often it was first, what it lost, what only it brought.
-- :day = ''   only this day, such as 2026-03-02
SELECT strftime('%Y-%m-%d', d.start_ns / 1000000000, 'unixepoch') AS day, s.name AS source, c.name AS channel,
    l.name AS line, sum(d.packets) AS packets, sum(d.won) AS won,
    round(100.0 * sum(d.won) / nullif(sum(sum(d.won)) OVER (PARTITION BY strftime('%Y-%m-%d', d.start_ns / 1000000000, 'unixepoch'), c.channel), 0), 2) AS won_percent, sum(d.duplicates) AS second,
    sum(d.messages_lost) AS messages_lost, sum(d.messages_late) AS messages_late,
    sum(d.messages_only) AS messages_only_here
FROM line_day d JOIN current_run r USING (run) JOIN line l USING (line) JOIN channel c USING (channel)
    JOIN source s USING (source)
WHERE :day = '' OR day = :day
GROUP BY day, d.line ORDER BY day, source, channel, line
