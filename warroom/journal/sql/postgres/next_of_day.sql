SELECT 1 + coalesce(max(of_day), 0) FROM warroom.incident WHERE day = $1;
