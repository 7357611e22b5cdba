INSERT OR REPLACE INTO presence (incident, console, login, uid, origin, seen_at, doing)
VALUES (?, ?, ?, ?, ?, ?, ?);
