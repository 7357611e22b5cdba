-- One row: on a primary how far the standbys are behind and what slots hold back; on a standby how
-- far itself is. Lag in seconds of a standby that has replayed all it received is 0, however long
-- ago the last transaction was. pg_current_wal_lsn fails in recovery, hence the CASE.
WITH here AS (
    SELECT
        pg_is_in_recovery() AS standby,
        CASE
            WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
            ELSE pg_current_wal_lsn()
        END AS lsn
),
standbys AS (
    SELECT
        count(*) AS standbys,
        count(*) FILTER (WHERE state = 'streaming') AS streaming,
        max(pg_wal_lsn_diff(here.lsn, r.replay_lsn)) AS behind_bytes,
        max(extract(epoch FROM r.replay_lag)) AS behind_s
    FROM pg_stat_replication AS r, here
),
slots AS (
    SELECT
        count(*) AS slots,
        count(*) FILTER (WHERE NOT active) AS idle_slots,
        max(pg_wal_lsn_diff(here.lsn, s.restart_lsn)) AS retained_bytes
    FROM pg_replication_slots AS s, here
)
SELECT
    here.standby,
    standbys.standbys::int,
    standbys.streaming::int,
    slots.slots::int,
    slots.idle_slots::int,
    slots.retained_bytes::float8,
    CASE
        WHEN here.standby THEN pg_wal_lsn_diff(here.lsn, pg_last_wal_replay_lsn())
        ELSE standbys.behind_bytes
    END::float8 AS lag_bytes,
    CASE
        WHEN NOT here.standby AND standbys.standbys = 0 THEN NULL
        WHEN NOT here.standby THEN coalesce(standbys.behind_s, 0)
        WHEN here.lsn = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
    END::float8 AS lag_s
FROM here, standbys, slots
