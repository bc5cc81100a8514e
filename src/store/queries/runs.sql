-- The runs in this store: which data, how they ended, and whether they count.
SELECT r.run, r.kind, r.state, ts(r.from_ns) AS data_from, ts(r.until_ns) AS data_until,
    (SELECT count(*) FROM alert a WHERE a.run = r.run) AS alerts, r.config_path AS config,
    CASE WHEN r.run IN (SELECT run FROM current_run) THEN 'yes'
        WHEN r.superseded_by IS NOT NULL THEN 'no: run ' || r.superseded_by ELSE 'no: not complete' END AS counts,
    ts(r.began_ns) AS begun
FROM run r ORDER BY r.run
