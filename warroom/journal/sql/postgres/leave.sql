DELETE FROM warroom.presence WHERE incident = $1 AND console = $2;
