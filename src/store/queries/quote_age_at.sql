-- What each source showed of an instrument at a moment, and how old that was.
-- needs quotes
-- :instrument   our name of it
-- :at   the moment, RFC 3339
-- :days = 7   a quote that is older than so many days is none
SELECT q.source, q.venue, price(q.bid) AS bid, q.bid_qty, price(q.ask) AS ask, q.ask_qty, q.quality,
    ts(q.ts_ns) AS since, round((ns(:at) - q.ts_ns) / 1e6, 6) AS age_ms,
    round((ns(:at) - q.ts_event_ns) / 1e6, 6) AS venue_age_ms, q.seq
FROM quotes q
WHERE q.instrument = :instrument AND q.ts_ns <= ns(:at)
    AND q.ts_ns >= ns(:at) - CAST(:days AS INTEGER) * 86400000000000 AND q.rowid = (
    SELECT p.rowid FROM quotes p WHERE p.instrument = q.instrument AND p.source = q.source AND p.venue = q.venue
        AND p.ts_ns <= ns(:at) ORDER BY p.ts_ns DESC, p.rowid DESC LIMIT 1)
ORDER BY q.venue, q.source
