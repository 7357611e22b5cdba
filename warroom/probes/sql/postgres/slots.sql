-- The replication slots, those that hold most WAL back first.
SELECT
    s.slot_name AS name,
    s.slot_type AS kind,
    s.active,
    pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
        s.restart_lsn
    )::float8 AS retained_bytes
FROM pg_replication_slots AS s
ORDER BY retained_bytes DESC NULLS LAST
LIMIT 50
