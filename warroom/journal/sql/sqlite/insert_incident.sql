INSERT INTO incident (id, day, of_day, origin, sealed_as) VALUES (?, ?, ?, ?, ?);
