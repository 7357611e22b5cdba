SELECT
  incident.sealed_as AS name, event.seq, event.id, event.at, event.recorded_at, event.login,
  event.uid, event.origin, event.kind, event.text, event.data, event.starred, event.internal,
  event.previous, event.digest
FROM warroom.event
JOIN warroom.incident ON incident.number = event.incident
WHERE
  event.incident = $1
  AND event.id IN (SELECT wanted FROM json_array_elements_text($2::text::json) AS wanted);
