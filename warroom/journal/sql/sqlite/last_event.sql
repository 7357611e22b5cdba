-- Rises with every event that is written.
SELECT coalesce(max(rowid), 0) FROM event;
