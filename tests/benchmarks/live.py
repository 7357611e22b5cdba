"""The console on the drill's stack: how soon it is there, what it costs, how fast keys are."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.figures import Row, compared, median
from tests.benchmarks.stack import Stack
from tests.benchmarks.subjects import (
    Subject,
    all_panes,
    console,
    cursor_column,
    panes_of,
    peers,
    small,
)

PAINT_AIM: Final = 1.25
PANES_AIM: Final = 3.0
KEY_AIM: Final = 1.2
_TURN: Final = ("<DOWN>", "<UP>")
_ROWS: Final = (1, 0, 20, 1)
"""The first column of the bare table's rows."""


@contextmanager
def growing(path: Path, rate: int, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Lines are appended to `path` meanwhile, by a process of its own."""
    argv = [sys.executable, "-m", "tests.benchmarks.lines", str(path)]
    argv += ["--rate", str(rate), "--seconds", str(seconds)]
    folder = Path(__file__).parents[2]
    writer = subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        yield writer
    finally:
        writer.kill()
        writer.wait()


def starts(stack: Stack, folder: Path, runs: int) -> list[Row]:
    """First paint, and every pane with data; run by run in turn, so that noise hits all alike."""
    hello, table = small(folder)
    ours = console(stack.config, all_panes(stack))
    others = peers(stack, folder)
    painted, ready = defaultdict[str, list[float | None]](list), defaultdict(list)
    for _ in range(runs):
        for subject in (hello, table, ours, *others):
            paint, data = _start(subject)
            painted[subject.name].append(paint)
            ready[subject.name].append(data)
    paint, data = median(painted[ours.name]), median(ready[ours.name])
    least = median(painted[hello.name])
    rows = [compared("first paint", paint, hello.name, least, aim=PAINT_AIM)]
    names = [subject.name for subject in (table, *others)]
    rows += [compared("first paint", paint, name, median(painted[name])) for name in names]
    panes = f"{len(panes_of(stack))} panes with data"
    rows.append(compared(panes, data, hello.name, least, aim=PANES_AIM))
    rows += [compared(panes, data, s.name, median(ready[s.name])) for s in others]
    return rows


def _start(subject: Subject) -> tuple[float | None, float | None]:
    """Milliseconds to the first paint and until it is ready."""
    rig = subject.start()
    try:
        ready = rig.wait(subject.ready, 15)
        paint = None if rig.first_paint is None else (rig.first_paint - rig.t0) * 1000
        return paint, None if ready is None else ready * 1000
    finally:
        rig.close()


def idle(stack: Stack, folder: Path, seconds: float) -> list[Row]:
    """CPU and memory when nobody touches it, the stack being busy."""
    hello, _ = small(folder)
    subjects = (hello, console(stack.config, all_panes(stack)), *peers(stack, folder))
    found = {subject.name: _idle(subject, seconds) for subject in subjects}
    ours = found.pop("warroom")
    rows = [
        compared("idle CPU", ours["cpu_pct"], name, of["cpu_pct"], unit="%")
        for name, of in found.items()
    ]
    return rows + [
        compared("memory (RSS)", ours["rss_mib"], name, of["rss_mib"], unit="MiB")
        for name, of in found.items()
    ]


def _idle(subject: Subject, seconds: float) -> dict[str, Any]:
    rig = subject.start()
    try:
        rig.wait(subject.ready, 15)
        rig.sleep(3 if subject.name == "warroom" else 0.5)  # it has more to come to rest from
        return rig.idle(seconds)
    finally:
        rig.close()


def keys(stack: Stack, folder: Path, count: int, rounds: int, rate: int) -> list[Row]:
    """From a key to the cursor's move, with nothing going on and beside a growing log: `count`
    keys in each of `rounds`."""
    _, table = small(folder)
    quiet = console(stack.config, all_panes(stack))
    rows = _latencies("key, quiet", quiet, table, count, rounds)
    path = folder / "flood.log"
    path.touch()
    loud = console(stack.with_log(folder, "flood", path), all_panes(stack))
    what = f"key, {rate // 1000}k lines/s"
    with growing(path, rate, rounds * (60 + count)):
        return rows + _latencies(what, loud, table, count, rounds)


def _latencies(what: str, ours: Subject, table: Subject, count: int, rounds: int) -> list[Row]:
    turns = [(_latency(ours, count), _latency(table, count)) for _ in range(rounds)]

    def row(percentile: str, aim: float | None) -> Row:
        mine, theirs = (median(turn[side][f"{percentile}_ms"] for turn in turns) for side in (0, 1))
        return compared(f"{what}, {percentile}", mine, table.name, theirs, aim=aim)

    rows = [row("p50", KEY_AIM), row("p95", None)]
    if missed := sum(mine["missed"] for mine, _ in turns):
        rows.append(Row(f"{what}, unanswered", f"{missed} of {rounds * count}", wrong=True))
    return rows


def _latency(subject: Subject, count: int) -> dict[str, Any]:
    rig = subject.start()
    try:
        rig.wait(subject.ready, 15)
        rig.sleep(1)
        own = subject.name == "warroom"
        region = cursor_column(rig.text(), r"[┌┏]\d health") if own else _ROWS
        return rig.latency(list(_TURN), count, region=region)
    finally:
        rig.close()
