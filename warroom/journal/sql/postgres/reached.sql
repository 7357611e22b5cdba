SELECT coalesce(max(number), 0) FROM warroom.version;
