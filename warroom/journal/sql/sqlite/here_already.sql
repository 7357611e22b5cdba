-- The incident that has this very event at this very place: all before it is then the same, too.
SELECT incident.id
FROM event INDEXED BY event_once
JOIN incident ON incident.number = event.incident
WHERE event.id = ? AND event.seq = ? AND event.digest = ?;
