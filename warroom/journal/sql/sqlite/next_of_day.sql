SELECT 1 + coalesce(max(of_day), 0) FROM incident WHERE day = ?;
