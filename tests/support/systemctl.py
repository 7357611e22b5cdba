"""`systemctl` and `journalctl` as their manuals describe them, for machines without systemd.

Each is a process of its own, found on PATH, that keeps its units in a JSON file. It knows what
systemctl(1) says of `show`, `list-dependencies --reverse`, `is-active`, `start`, `stop`, `restart`
and `reload` (properties of org.freedesktop.systemd1(5), a new InvocationID for every run, exit
codes of the LSB table), and nothing of how systemd runs services.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PROGRAM: Final = """\
#!{python}
import json, os, sys, time, uuid
from pathlib import Path

HOME = Path({home!r})
args = sys.argv[1:]
with (HOME / "calls").open("a") as calls:
    calls.write(json.dumps([Path(sys.argv[0]).name, *args]) + "\\n")
units = json.loads((HOME / "units").read_text())
if Path(sys.argv[0]).name == "journalctl":
    name = next(a.partition("=")[2] for a in args if a.startswith("--unit="))
    count = int(next(a.partition("=")[2] for a in args if a.startswith("--lines=")))
    sys.stdout.buffer.write("\\n".join(units[name]["journal"][-count:]).encode() + b"\\n")
    sys.exit(0)
words = [a for a in args if not a.startswith("-")]
verb, name = words[0], words[-1]
unit = units.get(name)
if verb == "show":
    wanted = next(a.partition("=")[2] for a in args if a.startswith("--property=")).split(",")
    known = unit["properties"] if unit else dict(
        Id=name, LoadState="not-found", ActiveState="inactive", SubState="dead")
    for key, value in known.items():
        if key in wanted:
            sys.stdout.buffer.write(f"{{key}}={{value}}\\n".encode())
    sys.exit(0)
if unit is None:
    sys.exit(f"Failed to {{verb}} {{name}}: Unit {{name}} not found.")
if verb == "list-dependencies":
    print("\\n".join([name, *("● " + one for one in unit["wanted_by"])]))
    sys.exit(0)
if verb == "is-active":
    print(unit["properties"]["ActiveState"])
    sys.exit(0 if unit["properties"]["ActiveState"] == "active" else 3)
if unit["denied"]:
    sys.exit(f"Failed to {{verb}} {{name}}: Interactive authentication required.")
time.sleep(unit["takes"])
properties = unit["properties"]
if verb in ("start", "restart", "stop") and properties["ActiveState"] != "inactive":
    properties.update(ActiveState="inactive", SubState="dead", MainPID="0")
if verb in ("start", "restart"):
    properties.update(InvocationID=uuid.uuid4().hex)
    state = dict(ActiveState="active", SubState="running", MainPID=str(os.getpid()))
    if unit["breaks"]:
        state = dict(ActiveState="failed", SubState="failed", Result="exit-code", MainPID="0")
    properties.update(state)
unit["journal"].append(f"{{verb}} was done")
(HOME / "new").write_text(json.dumps(units))
(HOME / "new").rename(HOME / "units")
if unit["breaks"] == "loudly":
    sys.exit(f"Job for {{name}} failed because the control process exited with error code.")
"""


@dataclass(frozen=True)
class Units:
    """The units that `systemctl` in `bin` knows."""

    home: Path

    @property
    def bin(self) -> Path:
        return self.home / "bin"

    @property
    def acts(self) -> list[list[str]]:
        """The calls that were to change something."""
        lines = (self.home / "calls").read_text().splitlines()
        reads = {"show", "is-active", "list-dependencies"}
        calls: list[list[str]] = [json.loads(line) for line in lines]
        return [c for c in calls if c[0] == "systemctl" and not reads & {*c}]

    def add(self, name: str, **more: Any) -> None:
        """A unit that runs; `more` are properties, and how it behaves: `takes` seconds, `breaks`
        (`quietly` or `loudly`), `denied`, `wanted_by`, `journal`."""
        behaviour: dict[str, Any] = {
            "takes": 0.0, "breaks": "", "denied": False, "wanted_by": [], "journal": ["began"],
        }  # fmt: skip
        own = {key: more.pop(key) for key in list(more) if key in behaviour}
        properties = {
            "Id": name, "Description": "A service", "LoadState": "loaded", "Type": "simple",
            "ActiveState": "active", "SubState": "running", "MainPID": "4711", "NRestarts": "0",
            "StateChangeTimestamp": "Mon 2026-01-05 10:11:12 UTC", "Result": "success",
            "InvocationID": "0" * 31 + "1", "CanReload": "yes",
        }  # fmt: skip
        units = self._read()
        units[name] = {"properties": {**properties, **more}, **behaviour, **own}
        (self.home / "units").write_text(json.dumps(units))

    def set(self, name: str, **properties: str) -> None:
        """Somebody else changes a unit."""
        units = self._read()
        units[name]["properties"].update(properties)
        (self.home / "units").write_text(json.dumps(units))

    def get(self, name: str, what: str) -> str:
        return str(self._read()[name]["properties"][what])

    def _read(self) -> dict[str, Any]:
        units: dict[str, Any] = json.loads((self.home / "units").read_text())
        return units


def units_in(home: Path) -> Units:
    """Installs the two programs in `home`/bin."""
    one = Units(home)
    one.bin.mkdir(parents=True)
    (home / "units").write_text("{}")
    (home / "calls").write_text("")
    for name in ("systemctl", "journalctl"):
        path = one.bin / name
        path.write_text(_PROGRAM.format(python=sys.executable, home=str(home)))
        path.chmod(0o755)
    return one
