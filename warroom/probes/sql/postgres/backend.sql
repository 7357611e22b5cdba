-- All about the backend $1.
SELECT
    a.pid,
    a.usename AS "user",
    a.datname AS database,
    a.application_name AS app,
    coalesce(a.client_hostname, host(a.client_addr)) AS client,
    a.client_port,
    a.state,
    a.backend_type,
    a.backend_start,
    a.wait_event_type,
    a.wait_event,
    CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) ELSE '{}' END AS blocked_by,
    extract(epoch FROM clock_timestamp() - a.backend_start)::float8 AS connected_s,
    extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_s,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_s,
    extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_s,
    a.backend_xid::text AS xid,
    age(a.backend_xmin) AS xmin_age,
    CASE WHEN octet_length(a.query) > 65536 THEN left(a.query, 65536) ELSE a.query END AS query
FROM pg_stat_activity AS a
WHERE a.pid = $1
