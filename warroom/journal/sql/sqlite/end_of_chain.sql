-- The incident's number and sealed id, with the sequence and digest of its last event.
SELECT
  incident.number, coalesce(nullif(incident.sealed_as, ''), incident.id),
  coalesce(event.seq, 0), coalesce(event.digest, '')
FROM incident
LEFT JOIN event ON event.incident = incident.number
WHERE incident.id = ?
ORDER BY event.seq DESC
LIMIT 1;
