SELECT source, at, metrics FROM reading WHERE incident = ? ORDER BY at, source;
