SELECT id FROM warroom.incident WHERE id = $1 OR left(id, length($1) + 1) = $1 || '-';
