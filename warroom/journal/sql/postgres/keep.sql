INSERT INTO warroom.reading (incident, source, second, at, metrics)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (incident, source, second) DO NOTHING;
