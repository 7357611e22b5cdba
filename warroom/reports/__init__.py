"""What leaves the room: the post-mortem and the data."""
