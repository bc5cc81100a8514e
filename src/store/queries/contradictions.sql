-- What books contradicted and bytes that could not be read, with the first place of each in its run.
SELECT f.run, s.name AS source, c.name AS channel, f.what, f.kind,
    (SELECT sum(d.count) FROM contradiction_day d WHERE d.run = f.run AND d.channel = f.channel AND d.kind = f.kind
        AND f.what = 'contradiction') AS count,
    ts(f.ts_ns) AS first, f.sequence, f.capture, f.frame
FROM first_seen f JOIN current_run r USING (run) JOIN channel c USING (channel) JOIN source s USING (source)
ORDER BY f.run, source, channel, f.what, f.kind
