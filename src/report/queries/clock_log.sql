WITH state AS (
    SELECT run, ts_ns, synchronised, offset_ns, error_max_ns, status,
        synchronised = 1 AND abs(offset_ns) + error_max_ns <= {tolerance} AS within
    FROM host_clock JOIN current_run USING (run) WHERE ts_ns >= {from} AND ts_ns < {to}),
changed AS (
    SELECT *, lag(synchronised) OVER w AS synchronised_before, lag(within) OVER w AS within_before FROM state
    WINDOW w AS (PARTITION BY run, ts_ns / 86400000000000 ORDER BY ts_ns))
SELECT ts_ns AS time_at_ns, run, {host} AS host, {time_source} AS time_source,
    CASE WHEN synchronised = 0 THEN 'nobody' WHEN status & 4 THEN 'pulse per second' WHEN status & 1 THEN 'time daemon, phase-locked'
        WHEN status & 8 THEN 'time daemon, frequency-locked' ELSE 'time daemon' END AS kept_by,
    CASE
        WHEN synchronised_before IS NULL THEN CASE synchronised WHEN 1 THEN 'first look: synchronised' ELSE 'first look: not synchronised' END
        WHEN synchronised <> synchronised_before THEN CASE synchronised WHEN 1 THEN 'synchronised' ELSE 'synchronisation lost' END
        ELSE CASE within WHEN 1 THEN 'back in tolerance' ELSE 'out of tolerance' END END AS event,
    CASE within WHEN 1 THEN 'yes' ELSE 'no' END AS in_tolerance, offset_ns, error_max_ns AS error_most_ns
FROM changed
WHERE synchronised_before IS NULL OR synchronised <> synchronised_before OR within <> within_before
ORDER BY run, ts_ns
