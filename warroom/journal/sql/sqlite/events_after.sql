SELECT
  incident.id, event.seq, event.id, event.at, event.recorded_at, event.login, event.uid,
  event.origin, event.kind, event.text, event.data, event.starred, event.internal,
  event.previous, event.digest
FROM incident
JOIN event ON event.incident = incident.number
WHERE incident.id = ? AND event.seq > ?
ORDER BY event.seq;
