-- How far two sources agreed, hour by hour: per cent of the time in which they could be compared.
-- :first = ''   only pairs with this source
-- :from = 1970-01-01T00:00:00Z   from this moment on
-- :to = 2262-01-01T00:00:00Z   before this moment
SELECT strftime('%Y-%m-%d %H:00', start_ns / 1000000000, 'unixepoch') AS hour, first, second,
    round(sum(comparable_ns) / 1e9, 3) AS comparable_s,
    round(100.0 * sum(agree_ns) / nullif(sum(comparable_ns), 0), 4) AS agree_percent,
    round(sum(comparable_ns - agree_ns) / 1e9, 6) AS differ_s,
    sum(matched) AS matched, sum(first_led) AS first_led, sum(second_led) AS second_led
FROM pair_stats
WHERE start_ns >= ns(:from) AND start_ns < ns(:to) AND (:first = '' OR :first IN (first, second))
GROUP BY hour, first, second ORDER BY hour, first, second
