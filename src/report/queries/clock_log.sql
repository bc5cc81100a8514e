WITH rule AS (
    {clock_rules}),
state AS (
    SELECT c.run, c.ts_ns, c.synchronised, c.offset_ns, c.error_max_ns, c.status, rule.rule,
        CASE WHEN rule.rule IS NULL THEN 'no rule' WHEN c.synchronised = 1 AND abs(c.offset_ns) + c.error_max_ns <= rule.tolerance_ns
            THEN 'yes' ELSE 'no' END AS within
    FROM host_clock c JOIN current_run USING (run) LEFT JOIN rule ON c.ts_ns >= rule.from_ns AND c.ts_ns < rule.until_ns
    WHERE c.ts_ns >= {from} AND c.ts_ns < {to}),
changed AS (
    SELECT *, lag(synchronised) OVER w AS synchronised_before, lag(within) OVER w AS within_before, lag(rule) OVER w AS rule_before
    FROM state WINDOW w AS (PARTITION BY run, ts_ns / 86400000000000 ORDER BY ts_ns))
SELECT ts_ns AS time_at_ns, run, {host} AS host, {time_source} AS time_source,
    CASE WHEN synchronised = 0 THEN 'nobody' WHEN status & 4 THEN 'pulse per second' WHEN status & 1 THEN 'time daemon, phase-locked'
        WHEN status & 8 THEN 'time daemon, frequency-locked' ELSE 'time daemon' END AS kept_by,
    CASE
        WHEN synchronised_before IS NULL THEN CASE synchronised WHEN 1 THEN 'first look: synchronised' ELSE 'first look: not synchronised' END
        WHEN synchronised <> synchronised_before THEN CASE synchronised WHEN 1 THEN 'synchronised' ELSE 'synchronisation lost' END
        WHEN rule IS NOT rule_before THEN 'first look by this rule'
        ELSE CASE within WHEN 'yes' THEN 'back in tolerance' ELSE 'out of tolerance' END END AS event,
    within AS in_tolerance, rule, offset_ns, error_max_ns AS error_most_ns
FROM changed
WHERE synchronised_before IS NULL OR synchronised <> synchronised_before OR within <> within_before OR rule IS NOT rule_before
ORDER BY run, ts_ns
