INSERT INTO warroom.incident (id, day, of_day, origin, sealed_as) VALUES ($1, $2, $3, $4, $5)
RETURNING number;
