-- How far two sources agreed, hour by hour: per cent of the time in which they could be compared.
-- :first = ''   only pairs with this source
-- :from = 1970-01-01T00:00:00Z   from this moment on
-- :to = 2262-01-01T00:00:00Z   before this moment
WITH hours AS (
    -- Added up before anything is named or formatted: a year has millions of intervals.
    SELECT i.start_ns / 3600000000000 AS nth, i.first, i.second, sum(i.comparable_ns) AS comparable_ns,
        sum(i.agree_ns) AS agree_ns, sum(i.matched) AS matched, sum(i.first_led) AS first_led, sum(i.second_led) AS second_led
    FROM pair_interval i JOIN current_run r USING (run)
    WHERE i.start_ns >= ns(:from) AND i.start_ns < ns(:to)
    GROUP BY nth, i.first, i.second
)
SELECT strftime('%Y-%m-%d %H:00', nth * 3600, 'unixepoch') AS hour, a.name AS first, b.name AS second,
    round(comparable_ns / 1e9, 3) AS comparable_s,
    round(100.0 * agree_ns / nullif(comparable_ns, 0), 4) AS agree_percent,
    round((comparable_ns - agree_ns) / 1e9, 6) AS differ_s, matched, first_led, second_led
FROM hours h JOIN source a ON a.source = h.first JOIN source b ON b.source = h.second
WHERE :first = '' OR :first IN (a.name, b.name)
ORDER BY hour, first, second
