DELETE FROM presence WHERE incident = ? AND console = ?;
