SELECT
  seq, event.id, at, recorded_at, login, uid, event.origin, kind, text, data, starred, internal,
  previous, digest, incident.id
FROM event INDEXED BY event_once
JOIN incident ON incident.number = event.incident
WHERE event.id = ? AND event.seq = 1 AND incident.origin = '';
