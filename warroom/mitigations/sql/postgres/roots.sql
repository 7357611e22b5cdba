-- Who stands in the way of the backend $1 that started at $2, directly or behind others; `root` are
-- those that wait for nobody themselves. 0 is a prepared transaction. No row: it waits for no lock.
-- Behind a deadlock that the server has not found yet there is no root.
WITH RECURSIVE chain (pid) AS (
    SELECT unnest(pg_blocking_pids(v.pid))
    FROM pg_stat_activity AS v
    WHERE v.pid = $1 AND v.backend_start = $2
    UNION
    SELECT unnest(pg_blocking_pids(chain.pid))
    FROM chain
    WHERE chain.pid <> 0
)
SELECT chain.pid, chain.pid = 0 OR pg_blocking_pids(chain.pid) = '{}' AS root
FROM chain
ORDER BY chain.pid
