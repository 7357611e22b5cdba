"""What the journal must survive, at any length: `scripts/torture.py` in full, tests in short."""
