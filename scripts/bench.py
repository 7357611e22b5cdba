"""Measures the console beside a Textual hello-world and whichever peers are installed.

Run by `make bench`. Ratios within one run are what counts: the figures are those of this machine,
at this moment. It ends with a failure only where a result is wrong (a line lost, a count that
differs), never because something was slow. Nothing is written outside a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks import counting, filtering, following, live, record  # noqa: E402
from tests.benchmarks.figures import Row, table  # noqa: E402
from tests.benchmarks.lines import write  # noqa: E402
from tests.benchmarks.process import CommandFailed  # noqa: E402
from tests.benchmarks.stack import standing  # noqa: E402

PEERS: Final = ("pg_activity", "lazydocker", "k9s", "lnav", "goaccess", "gawk", "tl")
OWN_PEERS: Final = ROOT / ".venv" / "peers" / "bin"
"""Where `make peers` puts toolong: it wants another Textual, and so a venv of its own."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: runs of each start, seconds of idling, keys in each round, lines
    counted and kept, seconds of following, events of a long incident, lines for programs that take
    a minute for a million, bytes of a large file."""

    runs: int = 5
    idle: float = 8.0
    keys: int = 20
    rounds: int = 3
    lines: int = 1_000_000
    ring: int = 1_000_000
    follow: float = 6.0
    rates: tuple[int, ...] = (1_000, 20_000, 50_000)
    events: int = 100_000
    few: int = 1_000_000
    large: int = 5_000_000_000


QUICK: Final = Effort(
    runs=3, idle=2.0, keys=15, rounds=1, lines=200_000, ring=200_000, follow=2.0, rates=(20_000,),
    few=100_000, large=500_000_000,
)  # fmt: skip


def measure(effort: Effort, folder: Path, parts: set[str], *, full: bool) -> list[Row]:
    """Every row, part by part; a part that cannot be had is a row that says why."""
    rows: list[Row] = []

    def part(name: str, doing: Callable[[], list[Row]]) -> None:
        if parts and name not in parts:
            return
        began = time.monotonic()
        try:
            rows.extend(doing())
        except CommandFailed as failed:
            rows.append(Row(name, "—", str(failed), wrong=True))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)

    if not parts or parts & {"start", "idle", "keys"}:
        with standing(folder / "drill") as stack:
            print(stack.said, file=sys.stderr)
            part("start", lambda: live.starts(stack, folder, effort.runs))
            part("idle", lambda: live.idle(stack, folder, effort.idle))
            part("keys", lambda: live.keys(stack, folder, effort.keys, effort.rounds, 20_000))
    part("top", lambda: _counted(folder, effort.lines, effort))
    if full:
        part("top", lambda: _counted(folder, 5_000_000, effort, peers=False))
    part("follow", lambda: _followed(folder, effort))
    part("filter", lambda: filtering.filtering(folder, effort.ring))
    part("open", lambda: filtering.opening(folder, effort.large))
    part("timeline", lambda: record.editing(folder, effort.events, effort.runs, effort.keys))
    part("export", lambda: record.exporting(folder, effort.events))
    part("share", lambda: record.sharing(folder, effort.keys))
    return rows


def _followed(folder: Path, effort: Effort) -> list[Row]:
    return [row for rate in effort.rates for row in following.follow(folder, rate, effort.follow)]


def _counted(folder: Path, lines: int, effort: Effort, *, peers: bool = True) -> list[Row]:
    path = folder / "access.log"
    write(path, lines)
    rows = counting.clients(path, lines, effort.runs)
    rows += counting.parsing(path, lines, effort.runs)
    if peers:
        few = min(lines, effort.few)
        write(path, few)
        rows += counting.beside(path, few)
    path.unlink()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer runs, smaller files: a minute")
    parser.add_argument("--full", action="store_true", help="5M lines too")
    parser.add_argument(
        "parts",
        nargs="*",
        help="only these: start, idle, keys, top, follow, filter, open, timeline, export, share",
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as name:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_DATA_HOME"] = str(folder)
        os.environ["PATH"] += f"{os.pathsep}{OWN_PEERS}"
        effort = QUICK if given.quick else Effort()
        rows = measure(effort, folder, set(given.parts), full=given.full)
    print(table(rows))
    if absent := [name for name in PEERS if not shutil.which(name)]:
        print(f"not installed: {', '.join(absent)}")
    return 1 if any(row.wrong for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
