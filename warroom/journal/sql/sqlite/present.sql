SELECT console, login, uid, origin, seen_at
FROM presence
WHERE incident = ? AND seen_at BETWEEN ? AND ?
ORDER BY console;
