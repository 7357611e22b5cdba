-- The sessions in the state $1 ('active', or 'idle': in a transaction) for more than $2 seconds, of
-- the database $3, the user $4 and the application $5 (empty: any), longest first; with $1 empty
-- the backends $6, whatever they do. Those that are to be left alone are among them, so that they
-- can be named; so are those whose type and state this role may not see.
WITH waits AS (
    SELECT v.pid, pg_blocking_pids(v.pid) AS blockers
    FROM pg_stat_activity AS v
    WHERE v.wait_event_type = 'Lock'
)
SELECT
    a.pid,
    a.backend_start,
    a.xact_start,
    a.query_start,
    a.state_change,
    a.backend_type,
    a.state,
    a.usename AS "user",
    a.datname AS database,
    a.application_name AS app,
    coalesce(a.client_hostname, host(a.client_addr), 'socket') AS client,
    extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_s,
    extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_s,
    a.backend_xid IS NOT NULL AS has_written,
    CASE WHEN octet_length(a.query) > 8192 THEN left(a.query, 8192) ELSE a.query END AS query,
    (SELECT count(*)::int FROM waits AS w WHERE a.pid = ANY (w.blockers)) AS blocks,
    a.pid = pg_backend_pid() AS ours,
    coalesce(r.rolsuper, false) AS superuser,
    (
        pg_has_role(current_user, a.usesysid, 'USAGE')
        OR pg_has_role(current_user, 'pg_signal_backend', 'USAGE')
    ) AND (current_setting('is_superuser') = 'on' OR NOT r.rolsuper) AS may_signal,
    current_setting('is_superuser') = 'on' OR NOT r.rolsuper AS grantable,
    quote_ident(current_user) AS role
FROM pg_stat_activity AS a
LEFT JOIN pg_roles AS r ON r.oid = a.usesysid
WHERE CASE $1::text
        WHEN '' THEN a.pid = ANY ($6::int[])
        WHEN 'active' THEN
            (a.state = 'active' AND a.query_start < clock_timestamp() - make_interval(secs => $2))
            OR (a.backend_type IS NULL AND a.datid IS NOT NULL)
        WHEN 'idle' THEN
            (
                a.state LIKE 'idle in transaction%'
                AND a.state_change < clock_timestamp() - make_interval(secs => $2)
            )
            OR (a.backend_type IS NULL AND a.datid IS NOT NULL)
    END
    AND ($3::text = '' OR a.datname = $3)
    AND ($4::text = '' OR a.usename = $4)
    AND ($5::text = '' OR a.application_name = $5)
ORDER BY
    coalesce(CASE WHEN a.state = 'active' THEN a.query_start END, a.state_change) NULLS LAST,
    a.pid
