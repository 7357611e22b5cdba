-- Bytes of the connected database: it looks at every file, so it is asked rarely.
SELECT pg_database_size(current_database()) AS bytes
