INSERT OR IGNORE INTO reading (incident, second, source, at, metrics) VALUES (?, ?, ?, ?, ?);
