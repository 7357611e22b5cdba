-- Every database that takes connections, fullest first. Its size where the role may know it.
SELECT
    d.datname AS database,
    coalesce(s.numbackends, 0) AS connections,
    CASE
        WHEN has_database_privilege(d.oid, 'CONNECT')
            OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
        THEN pg_database_size(d.oid)
    END AS bytes,
    age(d.datfrozenxid) AS xid_age,
    s.deadlocks,
    s.temp_bytes,
    s.conflicts
FROM pg_database AS d
LEFT JOIN pg_stat_database AS s ON s.datid = d.oid
WHERE d.datallowconn AND NOT d.datistemplate
ORDER BY connections DESC, d.datname
LIMIT 50
