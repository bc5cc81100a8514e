WITH apart AS (
    SELECT instrument, sum(differ_ns / 1000) AS us, sum(segments) AS segments, sum(told) AS told
    FROM instrument_pair_day JOIN current_run USING (run)
    WHERE start_ns >= {from_day} AND start_ns < {to_day} GROUP BY instrument),
alerted AS (
    SELECT instrument, sum(raised) AS raised, sum(time_ns / 1000) AS us
    FROM instrument_alert_day JOIN current_run USING (run)
    WHERE start_ns >= {from_day} AND start_ns < {to_day} GROUP BY instrument),
named AS (SELECT instrument FROM apart UNION SELECT instrument FROM alerted)
SELECT n.instrument, coalesce(a.us, 0) AS differ_us, coalesce(a.segments, 0) AS disagreements,
    coalesce(a.told, 0) AS told, coalesce(l.raised, 0) AS alerts, coalesce(l.us, 0) AS alert_us
FROM named n LEFT JOIN apart a USING (instrument) LEFT JOIN alerted l USING (instrument)
WHERE coalesce(a.us, 0) > 0 OR coalesce(l.raised, 0) > 0
ORDER BY alert_us DESC, differ_us DESC, n.instrument LIMIT 10
