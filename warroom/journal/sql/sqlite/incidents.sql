-- Every incident with its sealed id and how many events it has.
SELECT
  number, id, coalesce(nullif(sealed_as, ''), id), origin,
  (SELECT coalesce(max(seq), 0) FROM event WHERE event.incident = incident.number)
FROM incident;
