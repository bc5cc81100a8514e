-- How long alerts lasted, by day, kind and cause: instruments, sides and lines added up.
-- :day = ''   only this day, such as 2026-03-02
SELECT strftime('%Y-%m-%d', t.start_ns / 1000000000, 'unixepoch') AS day, t.kind, t.about, t.cause, a.name AS first,
    b.name AS second, round(sum(t.time_ns) / 1e9, 6) AS seconds
FROM alert_time_day t JOIN current_run r USING (run) JOIN source a ON a.source = t.first
    JOIN source b ON b.source = t.second
WHERE :day = '' OR day = :day
GROUP BY day, t.kind, t.about, t.cause, first, second ORDER BY day, seconds DESC, t.kind
