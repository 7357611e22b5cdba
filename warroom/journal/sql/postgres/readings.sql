SELECT source, at, metrics FROM warroom.reading WHERE incident = $1 ORDER BY at, source;
