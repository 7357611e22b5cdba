"""A log that grows fast: what the console spends, whether it loses a line, how fast it filters."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Row, compared, milliseconds
from tests.benchmarks.lines import NEEDLE, write_short
from tests.benchmarks.live import growing
from tests.benchmarks.process import run
from tests.benchmarks.stack import one_log
from tests.benchmarks.subjects import console
from tests.benchmarks.terminal import Rig

_COUNTS: Final = re.compile(r"([\d,]+)…? of ([\d,]+)(?:  ([\d,]+) dropped)?")
_PATIENCE_S: Final = 20.0


def follow(folder: Path, rate: int, seconds: float) -> list[Row]:
    """Following one access log at `rate` lines a second, talkers counted."""
    path = folder / f"follow-{rate}.log"
    path.touch()
    rig = console(one_log(folder, path), r"no line yet").start()
    try:
        rig.wait("no line yet", _PATIENCE_S)
        rig.sleep(1)
        with growing(path, rate, seconds + 2) as writer:
            rig.wait(r"\d lines/s", 5)
            rig.sleep(1)
            used = rig.idle(seconds)
            written = int(writer.communicate()[0])
        received = _received(rig, written)
    finally:
        rig.close()
        path.unlink()
    what = f"follow {rate // 1000}k lines/s"
    lost = written - received
    return [
        compared(f"{what}, CPU", used["cpu_pct"], "", None, unit="%"),
        Row(f"{what}, lost", f"{lost:,} of {written:,}", aim="0", wrong=bool(lost)),
    ]


def _received(rig: Rig, written: int) -> int:
    """Lines that the log pane has seen: those it keeps, and those that fell out of its ring. A
    filter makes it tell, over the whole screen so that nothing is cut."""
    pane = re.search(r"(\d) logs", rig.text())
    rig.send(pane[1] if pane else "1")
    rig.sleep(0.3)
    rig.send("z")
    _filter(rig, "e")
    until = time.monotonic() + _PATIENCE_S
    received = 0
    while received != written and time.monotonic() < until:
        rig.sleep(0.3)
        if found := _COUNTS.search(rig.text()):
            _, kept, dropped = (_number(text) for text in found.groups())
            received = kept + dropped
    return received


def _filter(rig: Rig, text: str) -> None:
    """Type a filter, as soon as it is asked for."""
    rig.send("/")
    rig.wait("only what contains", 5)
    rig.send(f"{text}<ENTER>")


def _number(text: str | None) -> int:
    return int((text or "0").replace(",", ""))


def filtering(folder: Path, count: int) -> list[Row]:
    """A filter typed over a ring of `count` short lines: first screen, and all of it."""
    path = folder / "ring.log"
    path.touch()
    rig = console(one_log(folder, path), "no line yet").start()
    try:
        rig.wait("no line yet", _PATIENCE_S)
        write_short(path, count)
        if _received(rig, count) != count:
            return [Row(f"filter {count:,} lines", "the ring was not filled", wrong=True)]
        rig.send("<ESC>")
        rig.sleep(1.5)
        _filter(rig, NEEDLE)
        first = rig.wait(rf"msg={NEEDLE}.*[\d,]+…? of {count:,}|of {count:,}.*msg={NEEDLE}", 20)
        whole = rig.wait(rf"\d of {count:,}", 30)
        found = _COUNTS.search(rig.text())
    finally:
        rig.close()
    grep = run(["grep", "-c", NEEDLE, str(path)], {"LC_ALL": "C"})
    matched = _number(found[1]) if found else -1
    what = f"filter {count / 1e6:g}M lines"
    same = matched == int(grep.output)
    return [
        Row(f"{what}, first screen", milliseconds(first)),
        compared(f"{what}, all", whole and whole * 1000, "grep -c", grep.wall * 1000),
        Row(f"{what}, matched", f"{matched:,}", f"grep {int(grep.output):,}", wrong=not same),
    ]
