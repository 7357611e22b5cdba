"""One file a kind: ways to tell people, each message sent once or known not to be."""
