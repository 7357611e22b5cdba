-- Who stands in the way of the backend $1, directly or behind others, nearest first. The depth is
-- bounded: a deadlock that the server has not yet found is a circle.
WITH RECURSIVE chain (pid, depth) AS (
    SELECT unnest(pg_blocking_pids($1)), 1
    UNION
    SELECT unnest(pg_blocking_pids(chain.pid)), chain.depth + 1
    FROM chain
    WHERE chain.depth < 20 AND chain.pid <> 0
)
SELECT
    chain.pid,
    min(chain.depth)::int AS depth,
    a.usename AS "user",
    a.application_name AS app,
    a.state,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_s,
    CASE WHEN octet_length(a.query) > 2048 THEN left(a.query, 2048) ELSE a.query END AS query
FROM chain
LEFT JOIN pg_stat_activity AS a ON a.pid = chain.pid
GROUP BY chain.pid, a.usename, a.application_name, a.state, a.xact_start, a.query
ORDER BY depth, chain.pid
LIMIT 50
