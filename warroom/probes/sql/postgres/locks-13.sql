-- As locks.sql, for servers that do not say since when a lock is waited for (before 14).
SELECT
    l.locktype,
    CASE
        WHEN l.relation IS NOT NULL AND l.database = (
            SELECT oid FROM pg_database WHERE datname = current_database()
        ) THEN l.relation::regclass::text
        WHEN l.relation IS NOT NULL THEN 'relation ' || l.relation::text
        WHEN l.transactionid IS NOT NULL THEN 'transaction ' || l.transactionid::text
        WHEN l.virtualxid IS NOT NULL THEN 'transaction ' || l.virtualxid
        WHEN l.locktype = 'advisory' THEN 'advisory ' || l.classid::text || '/' || l.objid::text
        ELSE l.locktype
    END AS target,
    l.mode,
    l.granted,
    NULL::float8 AS waiting_s
FROM pg_locks AS l
WHERE l.pid = $1 AND l.locktype <> 'virtualxid'
ORDER BY l.granted, l.locktype = 'relation' DESC, l.mode, target
LIMIT 100
