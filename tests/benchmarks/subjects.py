"""What is measured: the console, two programs as small as can be, and peers that are installed."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.benchmarks.stack import WARROOM, Stack
from tests.benchmarks.terminal import Rig, rig

_HELLO: Final = """
from textual.app import App
from textual.widgets import Static

class Hello(App):
    def compose(self):
        yield Static("hello, world")

Hello().run()
"""
_TABLE: Final = """
from textual.app import App
from textual.widgets import DataTable

class Bare(App):
    def compose(self):
        yield DataTable(cursor_type="row")

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns(*(f"column {n}" for n in range(8)))
        table.add_rows([f"cell {row}.{n}" for n in range(8)] for row in range(100))

Bare().run()
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A program in a terminal. `ready` is what the screen shows once there is data."""

    name: str
    argv: tuple[str, ...]
    ready: str
    env: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> Rig:
        """Run it at 160x48."""
        started: Any = rig()(list(self.argv), cols=160, rows=48, env=dict(self.env))
        return started  # type: ignore[no-any-return]


def small(folder: Path) -> tuple[Subject, Subject]:
    """Hello-world, and a table that only has a cursor; both stock Textual."""
    made = []
    for name, text, ready in (("hello", _HELLO, "hello"), ("table", _TABLE, "cell 9.7")):
        script = folder / f"{name}.py"
        script.write_text(text, "utf-8")
        title = f"Textual {name}" if name == "hello" else "DataTable"
        made.append(Subject(title, (sys.executable, str(script)), ready))
    return made[0], made[1]


def console(config: Path, ready: str) -> Subject:
    """The console on a config."""
    return Subject("warroom", (WARROOM, "--config", str(config)), ready)


def panes_of(stack: Stack) -> dict[str, str]:
    """For each pane what the screen shows once that pane has data of its system; look-aheads, to
    be looked for from the beginning of the text."""
    address = r"\d+\.\d+\.\d+\.\d+"
    panes = {
        "health": "".join(rf"(?=.*. {name} +\d\d\d )" for name in stack.healths),
        "docker": r"(?=.*warroom-drill-api\S* +running)",
        "postgres": r"(?=.*\d+/\d+ connections)",
        "redis": r"(?=.*hits .*\d+%)",
        "logs": r"(?=.* \d\d:\d\d:\d\d (?:shop|edge|flood) )",
        "top talkers": rf"(?=.*│   {address} +\d)",
        "machine": r"(?=.*\d+% of \d+ cores)",
    }
    kinds = {str(probe["kind"]) for probe in stack.tables["probe"]}
    return {
        name: pattern
        for name, pattern in panes.items()
        if name not in ("docker", "postgres", "redis") or name in kinds
    }


def peers(stack: Stack, home: Path) -> list[Subject]:
    """Those of pg_activity, lazydocker, k9s, lnav and goaccess that are installed, each on what
    it knows of the stack. `home` takes what they write."""
    env = {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    socket, log = stack.option("docker", "socket"), stack.access_log
    found = [
        Subject("lnav", ("lnav", log), r"HTTP/1\.1", env),
        Subject("goaccess", ("goaccess", log, "--log-format=COMBINED"), r"Unique visitors", env),
        Subject("k9s", ("k9s",), r"K9s|Context", env),
    ]
    if socket:
        engine = env | {"DOCKER_HOST": f"unix://{socket}"}
        found.append(Subject("lazydocker", ("lazydocker",), "warroom-drill-api", engine))
    if dsn := stack.option("postgres", "dsn"):
        found.append(Subject("pg_activity", _pg_activity(dsn), r"PID\s+DATABASE", env))
    return [peer for peer in found if shutil.which(peer.argv[0])]


def _pg_activity(dsn: str) -> tuple[str, ...]:
    address = urlsplit(dsn)
    query = parse_qs(address.query)
    return (
        *("pg_activity", "-U", address.username or "postgres", "-d", address.path[1:]),
        *("-h", query["host"][0], "-p", query["port"][0]),
    )


def all_panes(stack: Stack) -> str:
    """What the screen shows once every pane has data."""
    return rf"\A{''.join(panes_of(stack).values())}"


def cursor_column(screen: str, heading: str) -> tuple[int, int, int, int]:
    """The blank column between symbol and name of a pane's rows, which only the cursor changes;
    `heading` is found in the pane's frame."""
    for y, line in enumerate(screen.splitlines()):
        if found := re.search(heading, line):
            return y + 1, found.start() + 3, y + 7, found.start() + 4
    raise ValueError(f"not on the screen: {heading}")
