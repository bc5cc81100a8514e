SELECT run, kind, state, version, from_ns AS from_at_ns, until_ns AS until_at_ns, config_hash, data_hash
FROM current_run WHERE coalesce(until_ns, {to}) >= {from} AND coalesce(from_ns, {from}) < {to} ORDER BY run
