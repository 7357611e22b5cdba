SELECT incident.id, (SELECT coalesce(max(seq), 0) FROM event WHERE event.incident = incident.number)
FROM incident;
