SELECT
  seq, id, at, recorded_at, login, uid, origin, kind, text, data, starred, internal, previous,
  digest
FROM event
WHERE incident = ? AND seq > ?
ORDER BY seq
LIMIT ?;
