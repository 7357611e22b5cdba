"""`warroom top` beside awk, goaccess and lnav, on the same files; every count is compared."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Row, compared, median
from tests.benchmarks.process import Cost, run
from tests.benchmarks.stack import WARROOM

_SORTED: Final = "awk '{print $1}' \"$1\" | sort | uniq -c | sort -rn"
_SHOWN: Final = 20
_ALL: Final = 10_000_000


def _awk(path: Path, head: str = "") -> list[str]:
    """The pipeline that everybody types, in gawk where there is one."""
    awk = "gawk" if shutil.which("gawk") else "awk"
    return ["sh", "-c", re.sub(r"\bawk\b", awk, _SORTED) + head, "sh", str(path)]


def clients(path: Path, lines: int, runs: int) -> list[Row]:
    """Who asks most, by address: time, memory, and whether it is the same to the last count."""
    env = {"LC_ALL": "C"}
    subjects = {
        "warroom": [WARROOM, "top", "--by", "ip", "-n", str(_SHOWN), str(path)],
        "awk|sort|uniq": _awk(path, f" | head -{_SHOWN}"),
    }
    costs = defaultdict[str, list[Cost]](list)
    for _ in range(runs):
        for name, argv in subjects.items():
            costs[name].append(run(argv, env))
    what = f"top --by ip, {lines / 1e6:g}M lines"
    ours, theirs = costs["warroom"], costs["awk|sort|uniq"]
    rows = [
        compared(what, _ms(ours), "awk|sort|uniq", _ms(theirs)),
        compared(f"{what}, CPU", _cpu(ours), "awk|sort|uniq", _cpu(theirs)),
        compared(f"{what}, peak", _peak(ours), "awk|sort|uniq", _peak(theirs), unit="MiB"),
    ]
    return [*rows, _same(path)]


def _same(path: Path) -> Row:
    mine = run([WARROOM, "top", "--by", "ip", "-n", str(_ALL), str(path)]).output
    theirs = run(_awk(path), {"LC_ALL": "C"}).output
    counted = {key: int(n) for n, key in (line.split() for line in theirs.splitlines())}
    ours = {line.split()[2]: int(line.split()[0]) for line in mine.splitlines()}
    same = ours == counted
    said = f"{len(ours):,} clients, " + ("every count the same" if same else "COUNTS DIFFER")
    return Row("top --by ip, result", said, f"awk {len(counted):,}", wrong=not same)


def parsing(path: Path, lines: int, few: Path, few_lines: int, runs: int) -> list[Row]:
    """Whole lines parsed a second. goaccess and lnav need many seconds for a million lines, so
    they get a shorter file, once."""
    argv = [WARROOM, "top", "--by", "path", "--json", str(path)]
    costs = [run(argv) for _ in range(runs)]
    rate = lines / (median(cost.wall for cost in costs) or 1) / 1000
    rows = []
    for name, peer in _parsers(few).items():
        took = run(peer, {"HOME": str(few.parent)}).wall
        theirs = few_lines / took / 1000
        rows.append(compared("full parse", rate, name, theirs, unit="k lines/s"))
    peak = compared("full parse, peak", _peak(costs), "", None, unit="MiB")
    return [*(rows or [compared("full parse", rate, "", None, unit="k lines/s")]), peak]


def _parsers(path: Path) -> dict[str, list[str]]:
    out = path.with_suffix(".json")
    query = ";SELECT c_ip, count(*) AS n FROM access_log GROUP BY c_ip ORDER BY n DESC LIMIT 20"
    found = {
        "goaccess": [
            "goaccess",
            str(path),
            "--log-format=COMBINED",
            "--no-progress",
            "-o",
            str(out),
        ],
        "lnav": ["lnav", "-n", "-c", query, str(path)],
    }
    return {name: argv for name, argv in found.items() if shutil.which(name)}


def _ms(costs: list[Cost]) -> float | None:
    found = median(cost.wall for cost in costs)
    return None if found is None else found * 1000


def _cpu(costs: list[Cost]) -> float | None:
    found = median(cost.cpu for cost in costs)
    return None if found is None else found * 1000


def _peak(costs: list[Cost]) -> float | None:
    return median(cost.peak for cost in costs)
