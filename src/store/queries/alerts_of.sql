-- The alerts of one instrument, oldest first, with how long each lasted and what it was put down to.
-- :instrument   our name of it
-- :from = 1970-01-01T00:00:00Z   that began from this moment on
-- :to = 2262-01-01T00:00:00Z   that began before this moment
SELECT id, kind, severity, side, sources, began, round(duration_ns / 1e6, 3) AS lasted_ms, reason, cause, why
FROM alerts
WHERE instrument = :instrument AND began_ns >= ns(:from) AND began_ns < ns(:to)
ORDER BY began_ns, id
