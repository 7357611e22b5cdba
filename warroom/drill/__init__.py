"""A small real stack on this machine, and scenarios that break it."""
