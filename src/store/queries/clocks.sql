-- How true clocks were, by day: each source's stamps against their receipt, and the machine's own clock.
-- :day = ''   only this day, such as 2026-03-02
SELECT strftime('%Y-%m-%d', c.start_ns / 1000000000, 'unixepoch') AS day, s.name AS clock, c.stamps, c.negative,
    c.backwards, round(c.least_ns / 1e3, 3) AS least_us, round(c.greatest_ns / 1e3, 3) AS greatest_us,
    round(c.worst_back_ns / 1e3, 3) AS worst_us
FROM clock_day c JOIN current_run r USING (run) JOIN source s USING (source)
WHERE :day = '' OR day = :day
UNION ALL
SELECT strftime('%Y-%m-%d', h.ts_ns / 1000000000, 'unixepoch') AS day, '(this machine)', count(*),
    sum(1 - h.synchronised), NULL, round(min(h.offset_ns) / 1e3, 3), round(max(h.offset_ns) / 1e3, 3),
    round(max(h.error_max_ns) / 1e3, 3)
FROM host_clock h JOIN current_run r USING (run)
WHERE :day = '' OR strftime('%Y-%m-%d', h.ts_ns / 1000000000, 'unixepoch') = :day
GROUP BY 1
ORDER BY 1, 2
