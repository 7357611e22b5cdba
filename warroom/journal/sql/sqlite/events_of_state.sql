-- What titles, severities and statuses follow from, newest incident first.
SELECT
  seq, event.id, at, recorded_at, login, uid, event.origin, kind, text, data, starred, internal,
  previous, digest, incident.number
FROM incident
JOIN event INDEXED BY event_of_state ON event.incident = incident.number
WHERE event.kind IN ('opened', 'severity', 'status', 'amended', 'retracted')
ORDER BY incident.number DESC, event.seq;
