-- Compares and acts in one statement: only the backend that was shown is ended.
SELECT pg_terminate_backend(a.pid) AS signalled
FROM pg_stat_activity AS a
WHERE a.pid = $1
    AND a.backend_start = $2
    AND a.backend_type = 'client backend'
