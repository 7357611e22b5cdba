SELECT console, login, uid, origin, seen_at, doing
FROM warroom.presence
WHERE incident = $1 AND seen_at > clock_timestamp() - make_interval(secs => $2)
ORDER BY console;
