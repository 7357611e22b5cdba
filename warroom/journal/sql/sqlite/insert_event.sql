INSERT INTO event (
  incident, seq, id, at, recorded_at, login, uid, origin, kind, text, data,
  starred, internal, previous, digest
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
