"""Kills, pauses and starves what writes to a journal, and looks whether anything acknowledged was
lost, doubled or out of order.

Run by `make torture`. Ends with 1 when anything was. Which process is hit when follows from
--seed; what the machine makes of it does not. Nothing is written outside a temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.torture.acting import cuts, rounds  # noqa: E402
from tests.torture.children import Result, Store  # noqa: E402
from tests.torture.crowd import crowds  # noqa: E402
from tests.torture.faults import sqlite_faults  # noqa: E402
from tests.torture.kills import kill_cycles  # noqa: E402
from tests.torture.stores import Databases, Files  # noqa: E402


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--cycles", type=int, default=1000, help="of kill -9 (default 1000)")
    parser.add_argument("--seeds", type=int, default=50, help="crowds (default 50)")
    parser.add_argument("--operations", type=int, default=500, help="a responder (default 500)")
    parser.add_argument("--part", choices=["all", "journal", "act"], default="all")
    parser.add_argument("--rounds", type=int, default=500, help="the same key at once (500)")
    parser.add_argument("--cuts", type=int, default=100, help="at each phase (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="where to begin (default 1)")
    return parser.parse_args()


def _tell(text: str) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"{time.strftime('%H:%M:%S')} {text:<100}", end=end, file=sys.stderr, flush=True)


def _sqlite(asked: argparse.Namespace, folder: Path) -> list[Result]:
    files = Files(folder)
    acting = _acting(files.store, asked, folder)
    if asked.part == "act":
        return acting
    return [
        *acting,
        kill_cycles(files.store, asked.cycles, asked.seed, _tell),
        *sqlite_faults(folder, _tell),
        crowds(files.place, _seeds(asked), asked.operations, _tell),
    ]


def _postgres(asked: argparse.Namespace, folder: Path) -> list[Result]:
    from warroom.drill.stack import postgres

    many = ("max_connections = 400",)  # fifty consoles stand still and keep theirs
    server = asyncio.run(postgres.start(folder, settings=many))
    try:
        databases = Databases(folder, server)
        acting = _acting(databases.store, asked, folder)
        if asked.part == "act":
            return acting
        return [
            *acting,
            kill_cycles(databases.store, asked.cycles, asked.seed, _tell),
            crowds(databases.place, _seeds(asked), asked.operations, _tell),
        ]
    finally:
        asyncio.run(server.stop())


def _acting(store: Callable[[], Store], asked: argparse.Namespace, folder: Path) -> list[Result]:
    """Consoles that press at once, and consoles that are cut off while they act."""
    if asked.part == "journal":
        return []
    few = max(1, asked.cuts // 10)
    return [
        rounds(store, asked.rounds, asked.seed, folder, _tell),
        cuts(store, asked.cuts, ("kill",), folder, asked.seed, _tell),
        cuts(store, asked.cuts, ("away", "cut"), folder, asked.seed + 1, _tell),
        cuts(store, few, ("stop",), folder, asked.seed + 2, _tell),
    ]


def _seeds(asked: argparse.Namespace) -> range:
    return range(asked.seed, asked.seed + asked.seeds)


def main() -> int:
    asked = _asked()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="warroom-torture-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # so that the server's user, and nobody, may pass through
        results = _sqlite(asked, folder) if asked.store == "sqlite" else _postgres(asked, folder)
    took = time.monotonic() - begin
    cores = len(os.sched_getaffinity(0))
    print(f"\n{asked.store}, {took / 60:.1f} min on {cores} cores\n")
    for result in results:
        print(f"{'WRONG' if result.wrong else 'ok':<6} {result.what:<32} {result.figures}")
        for what in result.wrong[:20]:
            print(f"       {what}")
    return 1 if any(result.wrong for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
