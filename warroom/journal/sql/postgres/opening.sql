SELECT
  event.name, event.seq, event.id, event.at, event.recorded_at, event.login, event.uid,
  event.origin, event.kind, event.text, event.data, event.starred, event.internal,
  event.previous, event.digest
FROM warroom.event
WHERE event.id = $1 AND event.seq = 1
LIMIT 1;
