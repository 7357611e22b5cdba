"""One file a system: looks at it at an interval and yields samples."""
