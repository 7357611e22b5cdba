SELECT
  seq, id, at, recorded_at, login, uid, origin, kind, text, data, starred, internal, previous,
  digest
FROM event INDEXED BY event_once
WHERE id = ? AND incident = ?;
