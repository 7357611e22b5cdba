"""What tests of a journal on disk do to it from outside."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.unit.chains import opening
from warroom.journal.sqlite import SqliteJournal

ROOT = Path(__file__).parents[2]


async def open_one(journal: SqliteJournal) -> str:
    return (await journal.open_incident(opening())).incident


def child(*argv: object, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.journal_child", *map(str, argv)],
        cwd=ROOT, env=os.environ | environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=120)[0]


def tamper(path: Path, *statements: str) -> None:
    """As somebody with the file in hand would: past the triggers."""
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER event_stays")
        connection.execute("DROP TRIGGER event_remains")
        for statement in statements:
            connection.execute(statement)
    connection.close()
