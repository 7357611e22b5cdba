-- What became of the backend $1 that started at $2; no row: it is gone.
SELECT a.state, a.query_start, a.wait_event_type, a.wait_event
FROM pg_stat_activity AS a
WHERE a.pid = $1 AND a.backend_start = $2
