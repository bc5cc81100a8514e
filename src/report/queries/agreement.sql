SELECT a.name AS first, b.name AS second, sum(i.comparable_ns / 1000) AS comparable_us,
    CASE WHEN total(i.comparable_ns) > 0 THEN min(CAST(1000000.0 * total(i.agree_ns) / total(i.comparable_ns) AS INTEGER),
        CASE WHEN total(i.agree_ns) < total(i.comparable_ns) THEN 999999 ELSE 1000000 END) END AS agree_ppm,
    sum((i.comparable_ns - i.agree_ns) / 1000) AS differ_us, sum(i.matched) AS matched, sum(i.first_led) AS first_led,
    sum(i.second_led) AS second_led, sum(i.together) AS together, sum(i.first_only) AS only_first,
    sum(i.second_only) AS only_second, max(x.error_ns) + max(y.error_ns) AS clock_error_ns
FROM {pair} i JOIN source a ON a.source = i.first JOIN source b ON b.source = i.second
    LEFT JOIN {clock_errors} x ON x.name = a.name LEFT JOIN {clock_errors} y ON y.name = b.name
GROUP BY i.first, i.second ORDER BY a.name, b.name
