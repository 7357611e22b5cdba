"""A log that grows fast: what the console spends beside others, whether it loses a line, how soon
keys are answered meanwhile."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.figures import Row, compared, valued
from tests.benchmarks.live import growing
from tests.benchmarks.stack import one_log
from tests.benchmarks.subjects import Subject, console, small
from tests.benchmarks.terminal import Rig

COUNTS: Final = re.compile(r"([\d,]+)…? of ([\d,]+)(?:  ([\d,]+) dropped)?")
_PATIENCE_S: Final = 20.0
_BESIDE: Final = {1_000: ("tl", 0.1), 20_000: ("lnav", 1.2)}
"""Whose CPU is told beside ours at a rate, and how much of it should be enough."""
_TITLES: Final = {"tl": "toolong"}
_KEYS_FROM: Final = 50_000
_KEYS: Final = 40
_KEY_MS: Final = 20.0
_HOLD_MS: Final = 20.0
_BUCKET_S: Final = 13.0
"""Long enough for a bucket of the talkers, ten seconds, to end."""
_FIRST: Final = "the first line"


def follow(folder: Path, rate: int, seconds: float) -> list[Row]:
    """Following one access log at `rate` lines a second: its lines alone, as the others do, and
    with its clients counted."""
    path = folder / f"follow-{rate}.log"
    what = f"follow {rate // 1000}k lines/s"
    rows = []
    name, aim = _BESIDE.get(rate, ("", None))
    if name and shutil.which(name):
        theirs = _peer(name, folder, rate, seconds)
        alone = _followed(folder, path, rate, seconds, access=False)["cpu_pct"]
        title = _TITLES.get(name, name)
        rows.append(compared(f"{what}, CPU", alone, title, theirs, unit="%", aim=aim))
    found = _followed(folder, path, rate, seconds, access=True)
    lost, written = found["lost"], found["written"]
    rows.append(valued(f"{what}, CPU, clients counted", found["cpu_pct"], unit="%"))
    rows.append(Row(f"{what}, lost", f"{lost:,} of {written:,}", aim="0", wrong=bool(lost)))
    if rate >= _KEYS_FROM:
        keys = valued(f"{what}, key p95", found["p95_ms"], most=_KEY_MS, beside=plain_keys(folder))
        rows.append(keys)
        rows.append(_held(what, folder, rate))
    return rows


def _followed(
    folder: Path, path: Path, rate: int, seconds: float, *, access: bool
) -> dict[str, Any]:
    """What the console spent, how many lines there were and how many it has not seen, how soon
    keys were answered."""
    path.touch()
    config = one_log(folder, path)
    if not access:
        config.write_text(config.read_text("utf-8") + "access = false\n", "utf-8")
    rig = console(config, r"no line yet").start()
    try:
        rig.wait("no line yet", _PATIENCE_S)
        rig.sleep(1)
        keyed = access and rate >= _KEYS_FROM
        with growing(path, rate, seconds + (_KEYS / 2 if keyed else 0) + 3) as writer:
            rig.wait(r"\d lines/s", 5)
            rig.sleep(1)
            found = rig.idle(seconds) | (_keys(rig) if keyed else {})
            written = int(writer.communicate()[0])
        return found | {"written": written, "lost": written - received(rig, written)}
    finally:
        rig.close()
        path.unlink()


def _peer(name: str, folder: Path, rate: int, seconds: float) -> float:
    path = folder / f"peer-{rate}.log"
    path.write_text(f"{_FIRST}\n", "ascii")
    env = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    rig = Subject(name, (name, str(path)), _FIRST, env).start()
    try:
        rig.wait(_FIRST, _PATIENCE_S)
        rig.sleep(1)
        if name == "tl":
            rig.send("<END>")  # only there it shows what comes
            rig.sleep(0.5)
        with growing(path, rate, seconds + 3):
            rig.wait("HTTP/1", 10)
            rig.sleep(1)
            spent: float = rig.idle(seconds)["cpu_pct"]
            return spent
    finally:
        rig.close()
        path.unlink()


def _keys(rig: Rig) -> dict[str, Any]:
    """From a key to the cursor's move between rows that stand still while more come."""
    pane = re.search(r"(\d) logs", rig.text())
    rig.send(pane[1] if pane else "1")
    rig.sleep(0.3)
    rig.send("<UP>")
    rig.wait("PAUSED", 5)
    rig.sleep(0.5)
    found = [re.search(r"\d\d:\d\d:\d\d (?=\S+ - - )", line) for line in rig.text().splitlines()]
    rows = [y for y, match in enumerate(found) if match]
    first = found[rows[0]]
    assert first is not None
    region = (rows[0], first.start(), rows[-1] + 1, first.start() + 1)
    took = rig.latency(["<UP>", "<DOWN>"], _KEYS, region=region)
    rig.send("G")
    rig.sleep(0.3)
    return took


def plain_keys(folder: Path) -> str:
    """How soon a bare DataTable with nothing going on answers: what this machine can, just now."""
    _, table = small(folder)
    rig = table.start()
    try:
        rig.wait(table.ready, _PATIENCE_S)
        rig.sleep(0.5)
        took = rig.latency(["<DOWN>", "<UP>"], _KEYS, region=(1, 0, 20, 1))
        return f"{table.name} {took['p95_ms']:.1f} ms"
    finally:
        rig.close()


def _held(what: str, folder: Path, rate: int) -> Row:
    """The longest turn of the loop, in processor time."""
    path = folder / f"hold-{rate}.log"
    path.touch()
    argv = [sys.executable, "-m", "tests.benchmarks.loop", str(path), "--seconds", str(_BUCKET_S)]
    with growing(path, rate, _BUCKET_S):
        root = Path(__file__).parents[2]
        done = subprocess.run(argv, cwd=root, capture_output=True, check=True)
    path.unlink()
    return valued(f"{what}, longest hold", json.loads(done.stdout)["longest_ms"], most=_HOLD_MS)


def received(rig: Rig, written: int) -> int:
    """Lines that the log pane has seen: those it keeps, and those that fell out of its ring. A
    filter makes it tell, over the whole screen so that nothing is cut."""
    pane = re.search(r"(\d) logs", rig.text())
    rig.send(pane[1] if pane else "1")
    rig.sleep(0.3)
    rig.send("z")
    typed_filter(rig, "e")
    until = time.monotonic() + _PATIENCE_S
    seen = 0
    while seen != written and time.monotonic() < until:
        rig.sleep(0.3)
        if found := COUNTS.search(rig.text()):
            _, kept, dropped = (number(text) for text in found.groups())
            seen = kept + dropped
    return seen


def typed_filter(rig: Rig, text: str) -> None:
    """Type a filter, as soon as it is asked for."""
    rig.send("/")
    rig.wait("only what contains", 5)
    rig.send(f"{text}<ENTER>")


def number(text: str | None) -> int:
    return int((text or "0").replace(",", ""))
