SELECT EXISTS (SELECT FROM warroom.incident WHERE id = $1 OR (day = $2 AND of_day = $3));
