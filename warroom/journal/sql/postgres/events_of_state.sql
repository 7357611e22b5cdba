-- What titles, severities and statuses follow from, newest incident first; how many events each
-- incident has.
SELECT
  incident.sealed_as AS name, event.seq, event.id, event.at, event.recorded_at, event.login,
  event.uid, event.origin, event.kind, event.text, event.data, event.starred, event.internal,
  event.previous, event.digest,
  incident.id AS known, incident.origin AS imported,
  (SELECT max(seq) FROM warroom.event AS every WHERE every.incident = incident.number) AS events
FROM warroom.incident
JOIN warroom.event ON event.incident = incident.number
WHERE event.kind IN ('opened', 'severity', 'status', 'amended', 'retracted')
ORDER BY incident.number DESC, event.seq;
