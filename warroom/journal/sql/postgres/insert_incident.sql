INSERT INTO warroom.incident (id, day, of_day, origin) VALUES ($1, $2, $3, $4) RETURNING number;
