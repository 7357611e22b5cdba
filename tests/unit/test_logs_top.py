"""`warroom top` counts what awk counts, to the last request, however the files come."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.logs import top
from warroom.logs.keys import By
from warroom.logs.top import count, line_start, to_json

AWK = shutil.which("gawk") or shutil.which("awk") or "awk"


def access_log(lines: int, *, damaged: float = 0.0, seed: int = 7) -> bytes:
    """An nginx log: few clients ask most, some over IPv6; some lines damaged when wanted."""
    rng = random.Random(seed)
    clients = [f"203.0.{rng.randrange(256)}.{rng.randrange(256)}" for _ in range(300)]
    clients += [f"2001:db8:{rng.randrange(99):x}::{rng.randrange(999):x}" for _ in range(40)]
    out = []
    for number in range(lines):
        client = clients[int(rng.paretovariate(0.8)) % len(clients)]
        path = rng.choice(["/", f"/cart?id={rng.randrange(99)}", "/login", "/api/v1/items"])
        status = rng.choice([200, 200, 200, 304, 404, 502])
        agent = rng.choice(["curl/8.5.0", "Mozilla/5.0 (X11)", r"odd \"quoted\" agent"])
        line = (
            f"{client} - - [21/Nov/2026:14:{number // 60 % 60:02}:{number % 60:02} +0000] "
            f'"GET {path} HTTP/1.1" {status} {rng.randrange(9999)} "-" "{agent}"'
        )
        out.append(line[: rng.randrange(60)].replace("[", "") if rng.random() < damaged else line)
    return ("\n".join(out) + "\n").encode()


def awk_counts(*files: Path) -> Counter[str]:
    script = "{ n[$1]++ } END { for (k in n) print n[k], k }"
    out = subprocess.run(
        [AWK, script, *map(str, files)], capture_output=True, check=True, env={"LC_ALL": "C"}
    ).stdout.decode()
    pairs = (line.split(" ", 1) for line in out.splitlines())
    return Counter({key: int(times) for times, key in pairs})


def our_counts(*files: Path, by: By = "ip", **options: bool | int) -> Counter[str]:
    report = count([str(file) for file in files], by, n=10**6, **options)  # type: ignore[arg-type]
    return Counter({entry.key: entry.count for entry in report.top})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(access_log(20_000))
    return path


@pytest.mark.parametrize("full", [True, False])
def test_clients_are_counted_as_awk_counts_them(log: Path, full: bool) -> None:
    assert our_counts(log, full=full) == awk_counts(log)


@pytest.mark.parametrize("full", [True, False])
def test_two_processes_count_what_one_counts(
    log: Path, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top, "_LARGE", 1)
    other = log.with_name("other.log")
    other.write_bytes(access_log(5_000, seed=8)[:-1])
    assert our_counts(log, other, full=full, workers=2) == awk_counts(log, other)


@pytest.mark.parametrize("by", ["ip", "range", "path", "status", "agent"])
def test_json_and_text_agree_on_damaged_files_too(tmp_path: Path, by: By) -> None:
    path = tmp_path / "damaged.log"
    path.write_bytes(access_log(5_000, damaged=0.1))
    full, plain = count([str(path)], by, full=True), count([str(path)], by, full=False)
    assert (full.lines, full.parsed) == (plain.lines, plain.parsed)
    assert [(t.key, t.count, t.share) for t in full.top] == [
        (t.key, t.count, t.share) for t in plain.top
    ]
    assert full.parsed < full.lines == 5_000


def test_of_a_damaged_line_only_an_address_in_its_place_counts(tmp_path: Path) -> None:
    path = tmp_path / "damaged.log"
    whole = access_log(100)
    path.write_bytes(whole + b"\n203.0.113.7\nsomething 203.0.113.7\n203.0.113.\n203.0.113.7 -")
    report = count([str(path)], n=1000)
    assert (report.lines, report.parsed) == (105, 102)
    assert {t.key: t.count for t in report.top}["203.0.113.7"] == 2


def test_json_has_the_contract_of_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    line = '203.0.113.7 - - [21/Nov/2026:14:35:02 +0000] "GET /a HTTP/1.1" {} {} "-" "x"\n'
    path.write_text(line.format(200, 100) + line.format(502, 7) + line.format(304, "-"))
    assert to_json(count([str(path)])) == {
        "version": 1,
        "format": "combined",
        "lines": 3,
        "parsed": 3,
        "files": [
            {
                "file": str(path),
                "format": "combined",
                "matched": 3,
                "sampled": 3,
                "also": [],
            }
        ],
        "top": [
            {
                "key": "203.0.113.7",
                "count": 3,
                "share": 1.0,
                "bytes": 107,
                "status": {"2xx": 1, "3xx": 1, "5xx": 1},
            }
        ],
    }


def test_paths_lose_their_query_and_statuses_and_ranges_are_keys(log: Path) -> None:
    assert set(our_counts(log, by="path")) == {"/", "/cart", "/login", "/api/v1/items"}
    assert set(our_counts(log, by="status")) == {"200", "304", "404", "502"}
    assert all(key.endswith(("/24", "/48")) for key in our_counts(log, by="range"))
    by_range = our_counts(log, by="range").total()
    assert our_counts(log, by="path").total() == by_range == awk_counts(log).total()


def test_archives_and_stdin_are_read_like_files(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = our_counts(log)
    data = log.read_bytes()
    for suffix, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        packed = log.with_suffix(".log" + suffix)
        packed.write_bytes(pack(data))
        assert our_counts(packed) == plain
        assert our_counts(packed, full=False) == plain
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert our_counts(Path("-")) == plain


@pytest.mark.parametrize("last", [1, 7, 5_000, 20_000, 99_999])
def test_only_the_last_lines_count_when_asked(
    log: Path, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = log.with_name("tail.log")
    tail.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[-last:]))
    assert our_counts(log, last=last) == awk_counts(tail)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(log.read_bytes())))
    assert our_counts(Path("-"), last=last) == awk_counts(tail)


@given(st.lists(st.sampled_from([b"a", b"\n", b"bcd\n", b"x" * 70_000]), max_size=9).map(b"".join))
def test_the_last_lines_begin_where_a_plain_split_says(data: bytes) -> None:
    lines = data.splitlines(keepends=True)
    for last in range(len(lines) + 2):
        start = line_start(io.BytesIO(data), last)
        assert data[start:] == b"".join(lines[len(lines) - last :] if last < len(lines) else lines)


def test_an_address_that_no_format_calls_the_client_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(b"Nov 21 14:35:02 web1 sshd[7]: Failed password from 203.0.113.7\n" * 50)
    report = count([str(path)])
    assert (report.format, report.lines, report.parsed, report.top) == ("auth", 50, 0, ())
    path.write_bytes(b"connected to 203.0.113.7, then away\n" * 50)
    report = count([str(path)])
    assert (report.format, report.lines, report.parsed, report.top) == ("unknown", 50, 0, ())


def test_an_access_log_behind_a_banner_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "banner.log"
    path.write_bytes(b"log opened by root\n" * 4000 + access_log(4000))
    report = count([str(path)])
    assert (report.format, report.lines, report.parsed) == ("combined", 8000, 4000)
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    report = count([str(packed)])
    assert (report.format, report.lines) == ("combined", 8000)
    assert report.parsed >= 3000, "what came in one chunk with the banner is not read again"


def test_empty_missing_and_damaged_files_say_what_they_are(tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"")
    report = count([str(empty)])
    assert (report.lines, report.parsed, report.top) == (0, 0, ())
    with pytest.raises(FileNotFoundError):
        count([str(tmp_path / "missing.log")])
    with pytest.raises(IsADirectoryError):
        count([str(tmp_path)])
    packed = gzip.compress(access_log(1000))
    for name, data in (("bad.gz", packed[:99] + b"\0" * 500 + packed[600:]), ("bad.xz", b"\xfd7z")):
        bad = tmp_path / name
        bad.write_bytes(data)
        with pytest.raises(OSError, match=f"archive.*{name}"):
            count([str(bad)])


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_cut_archive_is_no_short_one(tmp_path: Path, suffix: str) -> None:
    zstandard = pytest.importorskip("zstandard") if suffix == ".zst" else None
    compress = zstandard.ZstdCompressor().compress if zstandard else None
    pack = compress or {".gz": gzip, ".bz2": bz2, ".xz": lzma}[suffix].compress
    packed = pack(access_log(5000))
    file = tmp_path / f"access.log{suffix}"
    file.write_bytes(packed)
    assert count([str(file)]).lines == 5000
    for end in (len(packed) // 2, len(packed) - 1):
        file.write_bytes(packed[:end])
        with pytest.raises(OSError, match=rf"the archive is cut.*access\.log\{suffix}"):
            count([str(file)])


def test_keys_come_out_harmless(tmp_path: Path) -> None:
    path = tmp_path / "hostile.log"
    line = b'::1 - - [21/Nov/2026:14:35:02 +0000] "GET /%b HTTP/1.1" 200 5 "-" "x"\n'
    hostile = [b"\x1b[2J", b"\x9b31m", "\u202egpj".encode(), b"\xff\xfe", b"[/x]", b"y" * 100_000]
    path.write_bytes(b"".join(line % text for text in hostile))
    report = count([str(path)], "path")
    assert len(report.top) == len(hostile)
    assert all(entry.key.isprintable() and len(entry.key) < 3000 for entry in report.top)


def test_progress_reaches_the_whole_size(log: Path) -> None:
    seen: list[tuple[int, int]] = []
    count([str(log)], progress=lambda done, total: seen.append((done, total)))
    size = log.stat().st_size
    assert seen[-1] == (size, size)
    assert seen == sorted(seen)


def test_counting_needs_no_screen_and_no_loop() -> None:
    code = (
        "import sys, warroom.logs.top; "
        "print([m for m in ('textual', 'rich', 'asyncio', 'click', 'socket') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out.strip() == b"[]"
