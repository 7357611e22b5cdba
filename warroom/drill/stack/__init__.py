"""Real servers for drills and tests: one file a system, on loopback or in private folders only.

Every server is started by `start(folder)`, is ready when that returns, raises `Missing` with what
to install when it cannot be had, and is ended by its own process id in `stop()`. A starter that
dies takes its servers with it (see `program`).
"""
