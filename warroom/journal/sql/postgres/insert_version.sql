INSERT INTO warroom.version (number) VALUES ($1);
