-- Whether there is a journal, or something else in its place. From the catalogue's tables, because
-- to_regclass() may answer from before the lock that migrations hold.
SELECT
  EXISTS (
    SELECT FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'warroom' AND c.relname = 'version'
  ) AS known,
  EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'warroom') AS taken,
  current_setting('server_encoding') AS encoding;
