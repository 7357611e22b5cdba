-- The settings that decide incidents, by name; those this server does not have are left out, and
-- those that our own session sets for itself.
SELECT s.name, current_setting(s.name) AS value
FROM pg_settings AS s
WHERE s.name IN (
    'server_version', 'max_connections', 'superuser_reserved_connections', 'reserved_connections',
    'shared_buffers', 'work_mem', 'maintenance_work_mem', 'max_wal_size', 'deadlock_timeout',
    'autovacuum', 'autovacuum_freeze_max_age', 'synchronous_commit', 'synchronous_standby_names',
    'data_checksums', 'hot_standby_feedback'
)
ORDER BY s.name
