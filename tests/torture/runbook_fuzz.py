"""Looks for a runbook that breaks the reading of runbooks: `python -m tests.torture.runbook_fuzz`.

With atheris (PyPI) its inputs follow the code that they reach; without, they are random pieces of
the shapes. What is found is a file that crashes, takes longer than a second of the processor, or
of which something can be run that does not stand in it in one piece. Arguments are libFuzzer's:
`-max_total_time=300 FOLDER`, FOLDER with texts to begin with.
"""

from __future__ import annotations

import importlib
import random
import sys
import time
from pathlib import Path
from typing import Any, Final

MOST_S: Final = 1.0
SHAPES: Final = Path(__file__).parents[1] / "unit" / "runbooks" / "shapes"


def target(data: bytes) -> None:
    """One text. Raises AssertionError for one that breaks a promise."""
    from tests.unit.test_runbooks_shapes import assert_contiguous
    from warroom.runbooks.model import RunbookError
    from warroom.runbooks.parse import decoded, parse

    began = time.process_time()
    try:
        source = decoded(data)
        runbook = parse(source)
    except RunbookError:
        return
    took = time.process_time() - began
    assert took < MOST_S, f"{took:.2f} s"
    assert_contiguous(runbook, source)


def by_coverage(atheris: Any, argv: list[str]) -> None:
    """Until libFuzzer ends it."""
    with atheris.instrument_imports(include=["warroom.runbooks", "warroom.domain.text"]):
        importlib.import_module("warroom.runbooks.parse")
    atheris.Setup(argv, target)
    atheris.Fuzz()


def by_chance(argv: list[str]) -> None:
    """For as long as `-max_total_time` says, a minute when it says nothing."""
    said = next((word.partition("=")[2] for word in argv if "max_total_time" in word), "60")
    lines = [line for file in SHAPES.glob("*.md") for line in file.read_bytes().splitlines(True)]
    chance, until, count = random.Random(), time.monotonic() + float(said), 0
    while time.monotonic() < until:
        data = b"".join(chance.choices(lines, k=chance.randrange(1, 80)))
        try:
            target(data)
        except BaseException:
            Path("crash-runbook").write_bytes(data)
            raise
        count += 1
    print(f"{count} texts, nothing found")


if __name__ == "__main__":
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        by_chance(sys.argv)
    else:
        by_coverage(atheris, sys.argv)
