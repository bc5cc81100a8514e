-- What is open now at a daemon that writes this store; with at=..., what was open at that moment.
-- :at = ''   RFC 3339 time; empty: now, as far as it has been told
SELECT a.id, a.kind, a.severity, a.instrument, a.sources, a.channel, a.line, a.began, a.cause, a.why
FROM alerts a JOIN run r USING (run)
WHERE CASE WHEN :at = '' THEN r.state = 'open' AND a.cleared_ns IS NULL
    ELSE a.raised_ns <= ns(:at) AND (a.cleared_ns > ns(:at) OR (a.cleared_ns IS NULL AND r.until_ns >= ns(:at))) END
ORDER BY a.began_ns, a.id
