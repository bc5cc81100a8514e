SELECT kind, reason, sum(count) AS count FROM {suppressed} GROUP BY kind, reason HAVING sum(count) > 0
ORDER BY count DESC, kind, reason
