INSERT INTO warroom.event (
  incident, seq, id, at, recorded_at, login, uid, origin, kind, text, data,
  starred, internal, previous, digest
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
