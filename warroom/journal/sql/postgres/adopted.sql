-- The incident that has this event.
SELECT incident.id, event.digest
FROM warroom.event
JOIN warroom.incident ON incident.number = event.incident
WHERE event.id = $1 AND event.seq = 1
LIMIT 1;
