-- The columns of `events_after.sql`, each as one JSON array: SQLite makes these without the
-- interpreter's lock, while other threads run. Before them how many, and up to which sequence.
SELECT
  count(*),
  coalesce(max(seq), 0),
  json_group_array(seq),
  json_group_array(id),
  json_group_array(at),
  json_group_array(recorded_at),
  json_group_array(login),
  json_group_array(uid),
  json_group_array(origin),
  json_group_array(kind),
  json_group_array(text),
  json_group_array(json(data)),
  json_group_array(starred),
  json_group_array(internal),
  json_group_array(previous),
  json_group_array(digest)
FROM event
WHERE incident = ?1 AND seq > ?2 AND seq <= coalesce(
  (
    SELECT seq FROM event
    WHERE incident = ?1 AND seq > ?2
    ORDER BY seq
    LIMIT 1 OFFSET ?3 - 1
  ),
  9223372036854775807
);
