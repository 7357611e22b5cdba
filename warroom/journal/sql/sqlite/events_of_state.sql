-- What titles, severities and statuses follow from, newest incident first.
SELECT
  incident.id, event.seq, event.id, event.at, event.recorded_at, event.login, event.uid,
  event.origin, event.kind, event.text, event.data, event.starred, event.internal,
  event.previous, event.digest
FROM incident
JOIN event INDEXED BY event_of_state ON event.incident = incident.number
WHERE event.kind IN ('opened', 'severity', 'status', 'amended', 'retracted')
ORDER BY incident.number DESC, event.seq;
