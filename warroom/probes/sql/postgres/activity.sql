-- The backends that matter most, $1 at most: who blocks or is blocked, then who works, then who
-- idles in a transaction, each longest first. Our own session and parallel workers (their leader
-- stands for them) are left out. pg_blocking_pids takes the lock manager's locks, so it is asked
-- only for those that wait; 0 among its pids is a prepared transaction.
WITH backends AS (
    SELECT
        a.*,
        CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) ELSE '{}' END AS blocked_by
    FROM pg_stat_activity AS a
    WHERE a.pid <> pg_backend_pid()
        AND (
            (a.usesysid IS NOT NULL AND a.datid IS NOT NULL)
            OR a.backend_type IN ('autovacuum worker', 'walsender', 'background worker')
        )
        AND a.backend_type IS DISTINCT FROM 'parallel worker'
),
blockers AS (
    SELECT DISTINCT unnest(blocked_by) AS pid FROM backends
)
SELECT
    b.pid,
    b.usename AS "user",
    b.datname AS database,
    b.application_name AS app,
    coalesce(b.client_hostname, host(b.client_addr)) AS client,
    b.client_port,
    b.state,
    b.backend_type,
    b.backend_start,
    b.wait_event_type,
    b.wait_event,
    b.blocked_by,
    extract(epoch FROM clock_timestamp() - b.query_start)::float8 AS query_s,
    extract(epoch FROM clock_timestamp() - b.xact_start)::float8 AS transaction_s,
    extract(epoch FROM clock_timestamp() - b.state_change)::float8 AS state_s,
    CASE WHEN octet_length(b.query) > 8192 THEN left(b.query, 8192) ELSE b.query END AS query
FROM backends AS b
ORDER BY
    (b.blocked_by <> '{}' OR b.pid IN (SELECT pid FROM blockers)) DESC,
    (b.state = 'active' AND b.backend_type <> 'walsender') DESC NULLS LAST,
    (b.state LIKE 'idle in transaction%') DESC NULLS LAST,
    coalesce(b.xact_start, b.query_start, b.state_change) ASC NULLS LAST,
    b.pid
LIMIT $1
