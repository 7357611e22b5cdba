-- The backend $1 as it is now: what ending it would hit, and whether this role may signal it
-- (manual, section 9.28.2: own roles, or pg_signal_backend; a superuser's only by a superuser).
SELECT
    a.pid,
    a.backend_start,
    a.query_start,
    a.backend_type,
    a.state,
    a.usename AS "user",
    a.datname AS database,
    a.application_name AS app,
    coalesce(a.client_hostname, host(a.client_addr), 'socket') AS client,
    extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_s,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_s,
    a.backend_xid IS NOT NULL AS has_written,
    CASE WHEN octet_length(a.query) > 8192 THEN left(a.query, 8192) ELSE a.query END AS query,
    (
        SELECT count(*)::int FROM pg_locks AS l
        WHERE l.pid = a.pid AND l.granted AND l.locktype NOT IN ('virtualxid', 'transactionid')
    ) AS locks,
    ARRAY(
        SELECT DISTINCT l.relation::regclass::text || ' ' || replace(l.mode, 'Lock', '')
        FROM pg_locks AS l
        JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
        WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation'
        ORDER BY 1
        LIMIT 8
    ) AS relations,
    (
        SELECT count(*)::int FROM pg_stat_activity AS v
        WHERE v.wait_event_type = 'Lock' AND a.pid = ANY (pg_blocking_pids(v.pid))
    ) AS blocks,
    (
        WITH RECURSIVE waits AS (
            SELECT v.pid, unnest(pg_blocking_pids(v.pid)) AS blocker
            FROM pg_stat_activity AS v
            WHERE v.wait_event_type = 'Lock'
        ),
        behind AS (
            SELECT w.pid FROM waits AS w WHERE w.blocker = a.pid
            UNION
            SELECT w.pid FROM waits AS w JOIN behind AS b ON w.blocker = b.pid
        )
        SELECT count(*)::int FROM behind
    ) AS blocks_in_all,
    (
        pg_has_role(current_user, a.usesysid, 'USAGE')
        OR pg_has_role(current_user, 'pg_signal_backend', 'USAGE')
    ) AND (current_setting('is_superuser') = 'on' OR NOT r.rolsuper) AS may_signal,
    current_setting('is_superuser') = 'on' OR NOT r.rolsuper AS grantable,
    quote_ident(current_user) AS role
FROM pg_stat_activity AS a
LEFT JOIN pg_roles AS r ON r.oid = a.usesysid
WHERE a.pid = $1
