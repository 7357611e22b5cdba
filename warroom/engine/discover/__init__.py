"""What is on this machine, for `warroom init`: looked at gently, never changed, no secret kept.

`discover` asks one looker for each kind of system, all at once and each within a few seconds;
`report` says what was found and what was not, and why; `to_toml` writes the config.
"""

from warroom.engine.discover.findings import Discovery, Found, Missing
from warroom.engine.discover.look import discover
from warroom.engine.discover.write import report, to_toml

__all__ = ["Discovery", "Found", "Missing", "discover", "report", "to_toml"]
