"""What is on this machine, for `warroom init`: looked at gently, never changed, no secret kept.

`discover` asks one looker for each kind of system, all at once and each within a few seconds;
`from_runbooks` reads what teams' runbooks name instead, and asks nobody.
`report` says what was found and what was not, and why; `to_toml` writes the config.
"""

from warroom.engine.discover.findings import Discovery, Found, Missing
from warroom.engine.discover.look import discover
from warroom.engine.discover.runbooks import from_runbooks
from warroom.engine.discover.write import report, to_toml

__all__ = ["Discovery", "Found", "Missing", "discover", "from_runbooks", "report", "to_toml"]
