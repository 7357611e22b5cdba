DELETE FROM warroom.presence
WHERE incident = $1 AND seen_at < clock_timestamp() - make_interval(secs => $2);
