"""A filter typed over a full ring, and a file far larger than memory should get."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.benchmarks.figures import Row, compared, valued
from tests.benchmarks.following import COUNTS, number, plain_keys, received
from tests.benchmarks.lines import NEEDLE, Shop, write_short
from tests.benchmarks.process import run
from tests.benchmarks.stack import one_log
from tests.benchmarks.subjects import Subject, console
from tests.benchmarks.terminal import Rig

_PATIENCE_S: Final = 20.0
_FIRST_MS: Final = 50.0
_WHOLE_MS: Final = 500.0
_KEY_MS: Final = 20.0
_KEYS: Final = 30
_ROUNDS: Final = 9
_OPEN_MS: Final = 200.0
_GROWN_MIB: Final = 20.0
_Screen = tuple[float | None, float]


def filtering(folder: Path, count: int) -> list[Row]:
    """A filter over a ring of `count` short lines: first screen, all of it, keys meanwhile."""
    path = folder / "ring.log"
    path.touch()
    rig = console(one_log(folder, path), "no line yet").start()
    what = f"filter {count / 1e6:g}M lines"
    try:
        rig.wait("no line yet", _PATIENCE_S)
        write_short(path, count)
        if received(rig, count) != count:
            return [Row(what, "the ring was not filled", wrong=True)]
        rig.send("<ESC>")
        rig.sleep(1.5)
        rows = [*_found(rig, path, what, count), *_others(rig, what, count)]
        took = _keys(rig)
    finally:
        rig.close()
        path.unlink()
    beside = plain_keys(folder)
    return [*rows, valued(f"{what}, key p95 meanwhile", took, most=_KEY_MS, beside=beside)]


def _typed(rig: Rig, text: str) -> None:
    """The text at once, as a paste: what counts is the last key, and what it starts."""
    rig.send("/")
    rig.wait("only what contains", 5)
    rig.sleep(0.3)
    rig.send(f"\x1b[200~{text}\x1b[201~")


def _left(rig: Rig) -> None:
    rig.send("<ENTER>")
    rig.sleep(0.3)
    rig.send("<ESC>")
    rig.sleep(0.5)


def _found(rig: Rig, path: Path, what: str, count: int) -> list[Row]:
    """What one line in a hundred holds, several times: a paint waits for its sixtieth of a
    second, so that one round says little."""
    firsts: list[float] = []
    wholes: list[float] = []
    for _ in range(_ROUNDS):
        _typed(rig, NEEDLE)
        first = rig.wait(rf"msg={NEEDLE}.*[\d,]+…? of {count:,}|of {count:,}.*msg={NEEDLE}", 20)
        whole = rig.wait(rf"\d of {count:,}", 30)
        found = COUNTS.search(rig.text())
        _left(rig)
        if first is None or whole is None:
            return [Row(what, "what it lets through is not shown", wrong=True)]
        firsts.append(1000 * first)
        wholes.append(1000 * whole)
    grep = run(["grep", "-c", NEEDLE, str(path)], {"LC_ALL": "C"})
    matched = number(found[1]) if found else -1
    same = matched == int(grep.output)
    worst = f"longest {max(firsts):.1f} ms"
    beside = f"grep -c {1000 * grep.wall:,.1f} ms"
    return [
        valued(f"{what}, first screen, median", median(firsts), most=_FIRST_MS, beside=worst),
        valued(f"{what}, all, median", median(wholes), most=_WHOLE_MS, beside=beside),
        Row(f"{what}, matched", f"{matched:,}", f"grep {int(grep.output):,}", wrong=not same),
    ]


def _others(rig: Rig, what: str, count: int) -> list[Row]:
    """What every line holds, a pattern, and a level that none has."""
    rows = []
    for text in ("e", r"re:id=\d+5 ", "level:error"):
        _typed(rig, text)
        whole = rig.wait(rf"\d of {count:,}", 30)
        rows.append(valued(f"{what}, all, {text}", whole and 1000 * whole, most=_WHOLE_MS))
        _left(rig)
    return rows


def _keys(rig: Rig) -> float | None:
    """From a key to its letter, while each begins the matching of every line anew."""
    _typed(rig, "e")
    rig.sleep(0.2)
    screen = rig.text().splitlines()
    y = next(y for y in reversed(range(len(screen))) if screen[y].lstrip().startswith("/"))
    region = (y, 0, y + 1, 160)
    took: float | None = rig.latency(["l", "<BACK>"], _KEYS, gap=0.06, region=region)["p95_ms"]
    _left(rig)
    return took


def opening(folder: Path, size: int) -> list[Row]:
    """A log of `size` bytes is opened: by the engine, by the console, and by lnav."""
    path, small = folder / "large.log", folder / "small.log"
    _fill(small, 1 << 20)
    whole = shutil.disk_usage(folder).free > 2 * size
    (_fill if whole else _sparse)(path, size)
    what = f"open {size / 1e9:g} GB{'' if whole else ' (sparse)'}"
    try:
        ours, least = _engine(path), _engine(small)
        screens = [_screen(console(one_log(folder, log), r"HTTP/1")) for log in (path, small)]
        env = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        lnav = Subject("lnav", ("lnav", str(path)), r"HTTP/1\.1", env)
        theirs = _screen(lnav) if shutil.which("lnav") and whole else None
    finally:
        path.unlink()
    beside = f"1 MB {least['first_ms']:.0f} ms"
    others = [("1 MB", screens[1]), *([("lnav", theirs)] if theirs else [])]
    return [
        valued(f"{what}, first screen", ours["first_ms"], most=_OPEN_MS, beside=beside),
        valued(f"{what}, memory for it", ours["grown_mib"], unit="MiB", most=_GROWN_MIB),
        *(compared(f"{what}, from the command", screens[0][0], n, of[0]) for n, of in others),
        *(
            compared(f"{what}, resident", screens[0][1], name, of[1], unit="MiB")
            for name, of in others
        ),
    ]


def _engine(path: Path) -> dict[str, Any]:
    argv = [sys.executable, "-m", "tests.benchmarks.loop", str(path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(argv, cwd=root, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _screen(subject: Subject) -> _Screen:
    """Milliseconds from the command to the first lines, and MiB resident then."""
    rig = subject.start()
    try:
        ready = rig.wait(subject.ready, 60)
        return ready and 1000 * ready, rig.idle(0.5)["rss_mib"]
    finally:
        rig.close()


def _fill(path: Path, size: int) -> None:
    batch = b"".join(lines for lines, _ in zip(Shop().batches(), range(8), strict=False))
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(batch[: size - file.tell()])


def _sparse(path: Path, size: int) -> None:
    """Where there is no room: a hole, and lines at its end, which is all that is read."""
    lines = next(Shop().batches())
    with path.open("wb") as file:
        file.truncate(size - len(lines))
        file.seek(0, 2)
        file.write(b"\n" + lines)
