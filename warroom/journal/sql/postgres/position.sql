-- A number that grows with every event that anybody commits.
SELECT coalesce(sum(1 + (
  SELECT max(seq) FROM warroom.event WHERE event.incident = incident.number
)), 0)::bigint
FROM warroom.incident;
