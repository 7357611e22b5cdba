-- The incident that has an event just as it was sealed.
SELECT incident.id
FROM warroom.event
JOIN warroom.incident ON incident.number = event.incident
WHERE event.id = $1 AND event.seq = $2 AND event.digest = $3
LIMIT 1;
