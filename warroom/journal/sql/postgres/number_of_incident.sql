SELECT number FROM warroom.incident WHERE id = $1;
