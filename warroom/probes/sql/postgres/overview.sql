-- One row: how full the server is, what it waits for, how it is doing. Counts are of client
-- backends; one whose type the role may not see counts as a client when it has a user
-- and a database.
WITH backends AS (
    SELECT
        a.state,
        a.wait_event_type,
        a.xact_start,
        a.query_start,
        a.state_change,
        a.pid = pg_backend_pid() AS ours,
        a.backend_type IS NULL AS hidden
    FROM pg_stat_activity AS a
    WHERE a.backend_type = 'client backend'
        OR (a.backend_type IS NULL AND a.usesysid IS NOT NULL AND a.datid IS NOT NULL)
),
counts AS (
    SELECT
        count(*) AS connections,
        count(*) FILTER (WHERE ours) AS ours,
        count(*) FILTER (WHERE hidden) AS hidden,
        count(*) FILTER (WHERE state = 'active' AND NOT ours) AS active,
        count(*) FILTER (WHERE state = 'idle') AS idle,
        count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
        count(*) FILTER (WHERE state IN ('fastpath function call', 'disabled')) AS other,
        count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'Lock') AS waiting,
        max(extract(epoch FROM clock_timestamp() - query_start))
            FILTER (WHERE state = 'active' AND NOT ours) AS longest_query_s,
        max(extract(epoch FROM clock_timestamp() - xact_start))
            FILTER (WHERE NOT ours) AS longest_transaction_s,
        max(extract(epoch FROM clock_timestamp() - state_change))
            FILTER (WHERE state LIKE 'idle in transaction%') AS longest_idle_in_transaction_s
    FROM backends
),
totals AS (
    SELECT
        sum(xact_commit) AS commits,
        sum(xact_rollback) AS rollbacks,
        sum(blks_hit) AS hits,
        sum(blks_read) AS reads,
        sum(deadlocks) AS deadlocks,
        sum(temp_bytes) AS temp_bytes
    FROM pg_stat_database
),
age AS (
    SELECT greatest(max(age(datfrozenxid)), max(mxid_age(datminmxid))) AS wraparound_age
    FROM pg_database
)
SELECT
    counts.connections::int,
    counts.ours::int,
    counts.hidden::int,
    counts.active::int,
    counts.idle::int,
    counts.idle_in_transaction::int,
    counts.other::int,
    counts.waiting::int,
    counts.longest_query_s::float8,
    counts.longest_transaction_s::float8,
    counts.longest_idle_in_transaction_s::float8,
    totals.commits::float8,
    totals.rollbacks::float8,
    totals.hits::float8,
    totals.reads::float8,
    totals.deadlocks::float8,
    totals.temp_bytes::float8,
    age.wraparound_age::float8,
    current_setting('max_connections')::int AS connections_max,
    current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
    pg_is_in_recovery() AS standby,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    quote_ident(current_user) AS role,
    pg_postmaster_start_time() AS started
FROM counts, totals, age
