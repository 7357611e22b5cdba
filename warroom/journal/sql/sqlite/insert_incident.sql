INSERT INTO incident (id, day, of_day) VALUES (?, ?, ?);
