-- What the backend $1 holds and waits for, strongest and waiting first.
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
    extract(epoch FROM clock_timestamp() - l.waitstart)::float8 AS waiting_s
FROM pg_locks AS l
WHERE l.pid = $1 AND l.locktype <> 'virtualxid'
ORDER BY l.granted, l.locktype = 'relation' DESC, l.mode, target
LIMIT 100
