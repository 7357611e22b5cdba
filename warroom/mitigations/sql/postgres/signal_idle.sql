-- Each backend of $1 (pids), $2 (their starts) and $3 is compared and signalled by itself, against
-- a look of its own: within a statement pg_stat_activity stands still, and who is far down the list
-- would have had time to go on working. With $4 the statement is cancelled, else the session ends.
-- Only who has been idle in a transaction without a break since $3.
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
    AND a.state LIKE 'idle in transaction%'
    AND a.state_change = t.mark
