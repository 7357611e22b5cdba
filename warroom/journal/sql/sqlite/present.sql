SELECT console, login, uid, origin, seen_at, doing
FROM presence
WHERE incident = ? AND seen_at BETWEEN ? AND ?
ORDER BY console;
