"""Follow, parse, count: the log engine, fast and bounded."""
