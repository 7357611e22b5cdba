INSERT INTO warroom.presence (incident, console, login, uid, origin, seen_at, doing)
SELECT number, $2, $3, $4, $5, clock_timestamp(), $6 FROM warroom.incident WHERE id = $1
ON CONFLICT (incident, console) DO UPDATE SET seen_at = excluded.seen_at, doing = excluded.doing
RETURNING incident;
