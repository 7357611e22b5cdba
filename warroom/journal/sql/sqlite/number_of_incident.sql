SELECT number FROM incident WHERE id = ?;
