-- Compares and acts in one statement: only that very query of that very backend is cancelled.
SELECT pg_cancel_backend(a.pid) AS signalled
FROM pg_stat_activity AS a
WHERE a.pid = $1
    AND a.backend_start = $2
    AND a.query_start = $3
    AND a.state = 'active'
    AND a.backend_type = 'client backend'
