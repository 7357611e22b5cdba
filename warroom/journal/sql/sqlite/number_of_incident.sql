SELECT number, coalesce(nullif(sealed_as, ''), id) FROM incident WHERE id = ?;
