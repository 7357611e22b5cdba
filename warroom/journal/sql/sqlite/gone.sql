DELETE FROM presence WHERE seen_at NOT BETWEEN ? AND ?;
