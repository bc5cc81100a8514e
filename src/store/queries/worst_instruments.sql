-- The instruments on which two sources disagreed longest, by day, with what alerts said of them.
-- :day = ''   only this day, such as 2026-03-02
-- :limit = 20   so many of a day and pair
SELECT day, first, second, instrument, venue, round(differ_ns / 1e9, 6) AS differ_s, segments, told,
    round(stale_ns / 1e9, 6) AS stale_s, round(crossed_ns / 1e9, 6) AS crossed_s
FROM (
    SELECT strftime('%Y-%m-%d', d.start_ns / 1000000000, 'unixepoch') AS day, a.name AS first, b.name AS second,
        d.instrument, d.venue, sum(d.differ_ns) AS differ_ns, sum(d.segments) AS segments, sum(d.told) AS told,
        (SELECT sum(x.time_ns) FROM instrument_alert_day x WHERE x.start_ns = d.start_ns AND x.run = d.run
            AND x.instrument = d.instrument AND x.kind = 'stale' AND x.first IN (d.first, d.second)) AS stale_ns,
        (SELECT sum(x.time_ns) FROM instrument_alert_day x WHERE x.start_ns = d.start_ns AND x.run = d.run
            AND x.instrument = d.instrument AND x.kind = 'crossed' AND x.first IN (d.first, d.second)) AS crossed_ns,
        row_number() OVER (PARTITION BY d.start_ns, d.first, d.second ORDER BY sum(d.differ_ns) DESC, d.instrument)
            AS place
    FROM instrument_pair_day d JOIN current_run r USING (run) JOIN source a ON a.source = d.first
        JOIN source b ON b.source = d.second
    WHERE :day = '' OR strftime('%Y-%m-%d', d.start_ns / 1000000000, 'unixepoch') = :day
    GROUP BY d.start_ns, d.run, d.first, d.second, d.instrument, d.venue)
WHERE place <= CAST(:limit AS INTEGER)
ORDER BY day, first, second, place
