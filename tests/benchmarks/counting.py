"""`warroom top` beside awk, goaccess and lnav, on the same files; every count is compared."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Row, compared, median, valued
from tests.benchmarks.process import Cost, run
from tests.benchmarks.stack import WARROOM

_SORTED: Final = "awk '{print $1}' \"$1\" | sort | uniq -c | sort -rn"
_SHOWN: Final = 20
_ALL: Final = 10_000_000
_ONE_AIM: Final = 0.75
_TWO_AIM: Final = 0.55
_PEAK_MIB: Final = 60
_PARSED_K: Final = 1000
"""Thousands of whole lines a second that one process should parse."""
_LEAST: Final = {"goaccess": 15.0, "lnav": 10.0}
"""How many times as fast as these counting clients should be."""
_SHORT: Final = 1_000_000
"""Lines that are counted within a second: such runs are disturbed most, and so there are more."""
_TIMES_SHORT: Final = 3
_ONE: Final = ("taskset", "-c", "1")
"""Keeps a command on one processor: it then counts with one process."""


def _awk(path: Path, head: str = "") -> list[str]:
    """The pipeline that everybody types, in gawk where there is one."""
    awk = "gawk" if shutil.which("gawk") else "awk"
    return ["sh", "-c", re.sub(r"\bawk\b", awk, _SORTED) + head, "sh", str(path)]


def clients(path: Path, lines: int, runs: int) -> list[Row]:
    """Who asks most, by address: time, memory, and whether it is the same to the last count."""
    ours = [WARROOM, "top", "--by", "ip", "-n", str(_SHOWN), str(path)]
    subjects = {"two": ours, "awk": _awk(path, f" | head -{_SHOWN}")}
    if shutil.which(_ONE[0]):
        subjects["one"] = [*_ONE, *ours]
    costs = _costs(subjects, _often(lines, runs))
    what = f"top --by ip, {lines / 1e6:g}M lines"
    name, awk = "gawk|sort|uniq", costs["awk"]
    rows = []
    for which, aim in (("one", _ONE_AIM), ("two", _TWO_AIM)):
        told = f"{what}, {which} process" + ("es" if which == "two" else "")
        rows += [
            compared(f"{told}, best", _best(costs[which]), name, _best(awk), aim=aim),
            compared(f"{told}, median", _ms(costs[which]), name, _ms(awk)),
        ]
    rows.append(compared(f"{what}, one process, CPU", _cpu(costs["one"]), name, _cpu(awk)))
    rows.append(valued(f"{what}, peak", _peak(costs["two"]), unit="MiB", most=_PEAK_MIB))
    return [*rows, _same(path, what)]


def _often(lines: int, runs: int) -> int:
    """How many runs of so many lines are made."""
    return runs if lines > _SHORT else _TIMES_SHORT * runs


def _costs(subjects: dict[str, list[str]], runs: int) -> defaultdict[str, list[Cost]]:
    """Each run in turn with the others, so that noise hits all alike; once before for the cache."""
    costs = defaultdict[str, list[Cost]](list)
    for turn in range(runs + 1):
        for name, argv in subjects.items():
            cost = run(argv, {"LC_ALL": "C"})
            if turn:
                costs[name].append(cost)
    return costs


def _same(path: Path, what: str) -> Row:
    mine = run([WARROOM, "top", "--by", "ip", "-n", str(_ALL), str(path)]).output
    theirs = run(_awk(path), {"LC_ALL": "C"}).output
    counted = {key: int(n) for n, key in (line.split() for line in theirs.splitlines())}
    ours = {line.split()[2]: int(line.split()[0]) for line in mine.splitlines()}
    same = ours == counted
    said = f"{len(ours):,} clients, " + ("every count the same" if same else "COUNTS DIFFER")
    return Row(f"{what}, result", said, f"awk {len(counted):,}", wrong=not same)


def beside(path: Path, lines: int) -> list[Row]:
    """Counting clients beside programs that need many seconds for it: they get one run."""
    rate = lines / run([WARROOM, "top", "--by", "ip", str(path)]).wall / 1000
    rows = []
    for name, argv in _slow(path).items():
        theirs = lines / run(argv, {"HOME": str(path.parent)}).wall / 1000
        what = f"top --by ip, {lines / 1e6:g}M lines"
        rows.append(compared(what, rate, name, theirs, unit="k lines/s", least=_LEAST[name]))
    return rows


def parsing(path: Path, lines: int, runs: int) -> list[Row]:
    """Whole lines parsed a second by one process: client, status, bytes, path."""
    if not shutil.which(_ONE[0]):
        return []
    rows = []
    for by in ("path", "ip"):
        argv = [*_ONE, WARROOM, "top", "--by", by, "--json", str(path)]
        costs = _costs({by: argv}, _often(lines, runs))[by]
        best, usual = min(cost.cpu for cost in costs), median(cost.cpu for cost in costs)
        what = f"full parse, {lines / 1e6:g}M lines, by {by}"
        rate, beside = lines / best / 1000, f"median {lines / (usual or 1) / 1000:,.0f}"
        rows.append(valued(f"{what}, best", rate, unit="k lines/s", least=_PARSED_K, beside=beside))
        rows.append(valued(f"{what}, peak", _peak(costs), unit="MiB", most=_PEAK_MIB))
    return rows


def _slow(path: Path) -> dict[str, list[str]]:
    """goaccess, and lnav's SQL, where they are installed."""
    query = ";SELECT c_ip, count(*) AS n FROM access_log GROUP BY c_ip ORDER BY n DESC LIMIT 20"
    out = str(path.with_suffix(".json"))
    found = {
        "goaccess": ["goaccess", str(path), "--log-format=COMBINED", "--no-progress", "-o", out],
        "lnav": ["lnav", "-n", "-c", query, str(path)],
    }
    return {name: argv for name, argv in found.items() if shutil.which(name)}


def _best(costs: Sequence[Cost]) -> float:
    """Milliseconds of the run that least disturbed: whatever else this machine does, and its
    neighbours do, only adds."""
    return 1000 * min(cost.wall for cost in costs)


def _ms(costs: Sequence[Cost]) -> float | None:
    found = median(cost.wall for cost in costs)
    return None if found is None else found * 1000


def _cpu(costs: Sequence[Cost]) -> float | None:
    found = median(cost.cpu for cost in costs)
    return None if found is None else found * 1000


def _peak(costs: Sequence[Cost]) -> float | None:
    return median(cost.peak for cost in costs)
