-- Every quote of one source with the latest quote of another at that moment (as-of join), no older than a tolerance.
-- needs quotes
-- :instrument   our name of it
-- :first   source whose quotes are listed
-- :second   source that is looked up
-- :tolerance_ms = 3600000   a quote of the second that is older than this is none, milliseconds
-- :venue = ''   only at this venue (MIC); empty: wherever both quote
-- :from = 1970-01-01T00:00:00Z   from this moment on
-- :to = 2262-01-01T00:00:00Z   before this moment
SELECT ts(a.ts_ns) AS ts, a.venue, price(a.bid) AS first_bid, price(a.ask) AS first_ask, price(b.bid) AS second_bid,
    price(b.ask) AS second_ask, round((a.ts_ns - b.ts_ns) / 1e6, 6) AS second_age_ms, price(a.bid - b.bid) AS bid_diff,
    price(a.ask - b.ask) AS ask_diff, a.quality AS first_quality, b.quality AS second_quality
FROM quotes a LEFT JOIN quotes b ON b.rowid = (
    SELECT q.rowid FROM quotes q WHERE q.instrument = a.instrument AND q.source = :second AND q.venue = a.venue
        AND q.ts_ns <= a.ts_ns AND q.ts_ns >= a.ts_ns - CAST(:tolerance_ms AS INTEGER) * 1000000
    ORDER BY q.ts_ns DESC, q.rowid DESC LIMIT 1)
WHERE a.instrument = :instrument AND a.source = :first AND (:venue = '' OR a.venue = :venue)
    AND a.ts_ns >= ns(:from) AND a.ts_ns < ns(:to)
ORDER BY a.ts_ns, a.rowid
