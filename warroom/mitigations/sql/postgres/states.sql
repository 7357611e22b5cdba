-- Those of the backends $1 (pids) with the starts $2 that are still there, and what they do.
SELECT a.pid, a.state, a.xact_start, a.query_start, a.state_change
FROM unnest($1::int[], $2::timestamptz[]) AS t (pid, backend_start)
JOIN pg_stat_activity AS a ON a.pid = t.pid AND a.backend_start = t.backend_start
