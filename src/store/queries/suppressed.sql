-- What was held back instead of told, by day, kind and reason.
-- :day = ''   only this day, such as 2026-03-02
SELECT strftime('%Y-%m-%d', d.start_ns / 1000000000, 'unixepoch') AS day, d.kind, d.reason, sum(d.count) AS count
FROM suppressed_day d JOIN current_run r USING (run)
WHERE :day = '' OR day = :day
GROUP BY day, d.kind, d.reason ORDER BY day, count DESC, d.kind, d.reason
