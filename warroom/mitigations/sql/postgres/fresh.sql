-- Within a transaction (all that there is behind a pooler) pg_stat_activity stands still from its
-- first use on; this makes the next use look again.
SELECT pg_stat_clear_snapshot()
