-- As signal_idle.sql, for who is in the transaction that began at $3 (none: null), waits for no
-- lock and still stands in the way of the backend $5 that started at $6. Locks are seen as they are.
-- With $4 only statements that run are cancelled.
WITH RECURSIVE chain (pid) AS (
    SELECT unnest(pg_blocking_pids(v.pid))
    FROM pg_stat_activity AS v
    WHERE v.pid = $5 AND v.backend_start = $6
    UNION
    SELECT unnest(pg_blocking_pids(chain.pid))
    FROM chain
    WHERE chain.pid <> 0
)
SELECT
    t.pid,
    CASE WHEN $4 THEN pg_cancel_backend(a.pid) ELSE pg_terminate_backend(a.pid) END AS signalled
FROM
    unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS t (pid, backend_start, mark),
    LATERAL (SELECT t.pid AS number, pg_stat_clear_snapshot() AS cleared) AS fresh,
    LATERAL pg_stat_get_activity(fresh.number) AS a
WHERE a.backend_start = t.backend_start
    AND a.backend_type = 'client backend'
    AND a.pid <> pg_backend_pid()
    AND a.application_name IS DISTINCT FROM 'warroom'
    AND a.xact_start IS NOT DISTINCT FROM t.mark
    AND (a.state = 'active' OR NOT $4)
    AND t.pid IN (SELECT chain.pid FROM chain)
    AND pg_blocking_pids(t.pid) = '{}'
