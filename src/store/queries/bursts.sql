-- The busiest 1, 10, 100 and 1000 milliseconds of each day, by source and line.
-- :day = ''   only this day, such as 2026-03-02
SELECT strftime('%Y-%m-%d', b.start_ns / 1000000000, 'unixepoch') AS day, s.name AS source,
    coalesce(c.name || '/' || l.name, '(all lines)') AS line, b.window_ns / 1000000 AS window_ms, b.packets,
    b.messages, b.bytes, round(b.bytes * 8.0 / b.window_ns, 3) AS gbit_s
FROM burst_day b JOIN current_run r USING (run) JOIN source s USING (source) LEFT JOIN line l ON l.line = b.line
    LEFT JOIN channel c USING (channel)
WHERE :day = '' OR day = :day
ORDER BY day, source, b.line, window_ms
