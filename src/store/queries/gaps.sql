-- Every gap: what was lost on every line, whether it came after all, and for how long books were suspect.
-- :from = 1970-01-01T00:00:00Z   that began from this moment on
-- :to = 2262-01-01T00:00:00Z   that began before this moment
SELECT id, json_extract(a.sources, '$[0]') AS source, a.channel, a.began, x.sequence_first, x.sequence_last,
    x.sequence_count AS messages, x.instruments AS suspect_instruments, round(a.duration_ns / 1e6, 3) AS suspect_ms,
    a.reason, a.cause, a.why
FROM alerts a JOIN alert x USING (run, id)
WHERE a.kind = 'gap' AND a.began_ns >= ns(:from) AND a.began_ns < ns(:to)
ORDER BY a.began_ns, id
