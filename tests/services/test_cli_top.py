"""`warroom top` as scripts use it: a stretch of time, every grouping, what is wrong in one line."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.cli import WARROOM, Shell, home
from tests.support.mmdb import write_mmdb
from warroom.cli import counting
from warroom.logs.keys import GROUPINGS


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A request a minute, up to now."""
    path = tmp_path / "access.log"
    now = datetime.now(UTC)
    path.write_text(
        "".join(
            f"203.0.113.{n % 3} - - [{now - timedelta(minutes=n):%d/%b/%Y:%H:%M:%S +0000}] "
            f'"GET /user/{n} HTTP/1.1" 200 7 "-" "x"\n'
            for n in range(600, 0, -1)
        )
    )
    return path


def test_the_last_hour_is_counted_and_said(tmp_path: Path, log: Path) -> None:
    shell = Shell(tmp_path)
    found = shell("top", str(log), "--last", "1h", "--json").json
    assert found["parsed"] in (59, 60)
    assert {"since", "until"} <= found.keys()
    told = shell("top", str(log), "--last", "1h", "--until", "2h ago", "--by", "method")
    assert told.out.split()[0] in ("59", "60", "61")
    assert " lines from " in told.err
    old = shell("top", str(log), "--last", "5m", "--until", "3 days ago")
    assert old.out == ""
    assert "; the newest seen is of" in old.err


def test_what_is_wrong_with_a_time_or_a_grouping_is_one_line(tmp_path: Path, log: Path) -> None:
    shell = Shell(tmp_path)
    for wrong, words in {
        ("--last", "0"): "neither a number of lines nor a time",
        ("--until", "14:35"): "--until goes with --last TIME",
        ("--last", "5m", "--until", "noonish"): "--until: ",
        ("--by", "asn"): "asn wants a database of places",
        ("--mmdb", str(log)): "is no MaxMind DB file",
    }.items():
        assert words in shell("top", str(log), *wrong, status=2).err


def test_the_command_knows_every_grouping_there_is() -> None:
    assert counting.GROUPINGS == GROUPINGS


@pytest.mark.parametrize(
    "words",
    [
        ("--by", "ip"),
        ("--by", "path", "-n", "1", "--json"),
        ("--json",),
        ("-n", "2"),
        ("--by", "asn"),
        ("--by", "nothing"),
    ],
)
def test_a_plain_call_is_answered_as_the_whole_command_answers_it(
    tmp_path: Path, log: Path, words: tuple[str, ...]
) -> None:
    shell = Shell(tmp_path)
    plain = shell("top", *words, str(log), status=None)
    assert plain == shell("top", *words, "--", str(log), status=None)
    there = shell("top", *words, str(log), str(tmp_path / "none"), status=None)
    assert there == shell("top", *words, "--", str(log), str(tmp_path / "none"), status=None)
    assert there.status


def test_a_hostile_name_of_a_file_is_printed_and_obeyed_by_no_terminal(
    tmp_path: Path, log: Path
) -> None:
    hostile = tmp_path / "a\x1b]0;PWN\x07\x9b31m\u202e.log"
    hostile.write_bytes(log.read_bytes())
    shell = Shell(tmp_path)
    for words in ((), ("--json",), ("--trend",), ("--json", "--trend")):
        answer = shell("top", str(hostile), *words)
        printed = (answer.out + answer.err).replace("\n", "")
        assert all(letter.isprintable() for letter in printed), words
        if "--json" in words:
            assert answer.json["files"][0]["file"] == str(hostile)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_reader_that_went_away_ends_it_without_a_word(
    tmp_path: Path, log: Path, words: tuple[str, ...]
) -> None:
    lines = "".join(f"10.0.{n >> 8}.{n & 255} - \n" for n in range(9999))
    long = tmp_path / "long.log"
    long.write_text(lines + log.read_text())
    many = [*WARROOM, "top", str(long), "--format", "combined", "-n", "9999", *words]
    gone, kept = os.pipe()
    os.close(gone)
    try:
        for argv in (many, [*WARROOM, "top", str(log), *words]):
            done = subprocess.run(
                argv, stdout=kept, stderr=subprocess.PIPE, env=home(tmp_path), check=False
            )
            assert (done.returncode, b"Traceback" in done.stderr) == (128 + signal.SIGPIPE, False)
    finally:
        os.close(kept)


def test_countries_come_from_a_database_and_ranges_say_what_explains_most(
    tmp_path: Path, log: Path
) -> None:
    shell = Shell(tmp_path)
    places = write_mmdb(tmp_path / "c.mmdb", {"203.0.113.0/24": {"country_code": "NL"}})
    told = shell("top", str(log), "--by", "country", "--mmdb", str(places)).out
    assert told.split() == ["600", "100.0%", "NL", "2xx", "600"]
    assert "100.0% come from 203.0.113.0/24" in shell("top", str(log), "--by", "range").err
    assert shell("top", str(log), "--by", "range", "--json").json["explained"]["count"] == 600


def test_every_row_is_out_before_the_command_leaves(tmp_path: Path, log: Path) -> None:
    log.write_text("".join(f"10.0.{n >> 8}.{n & 255} - \n" for n in range(700)) + log.read_text())
    shell = Shell(tmp_path)
    told = shell("top", str(log), "--format", "combined", "-n", "9999").out
    assert len(told.splitlines()) == 703
    found = shell("top", str(log), "--format", "combined", "-n", "9999", "--json").json
    assert len(found["top"]) == 703


def test_rate_trend_and_first_seen_are_told_of_files_and_of_standard_input(
    tmp_path: Path, log: Path
) -> None:
    shell = Shell(tmp_path)
    told = shell("top", str(log), "--trend", "-n", "1")
    first = datetime.strptime(log.read_text().splitlines()[1][17:43], "%d/%b/%Y:%H:%M:%S %z")
    assert told.out.split()[:3] == ["200", "33.3%", "0.01/s"]
    assert f"{first:%Y-%m-%d %H:%M:%S}" in told.out
    assert told.out.split()[-5:] == ["0.0%", "1.4K", "203.0.113.2", "2xx", "200"]
    assert "columns: count, share, rate, trend, first seen, 5xx, bytes" in told.err
    piped = subprocess.run(
        [*WARROOM, "top", "--trend", "-n", "1", "-"],
        input=log.read_bytes(),
        capture_output=True,
        env=home(tmp_path),
        timeout=60,
        check=True,
    )
    assert piped.stdout.decode() == told.out
    assert piped.stderr.startswith(b"-: ")
    assert "rate" not in shell("top", str(log), "--json").json["top"][0]
    assert sum(shell("top", str(log), "--json", "--trend").json["top"][0]["trend"]) == 200


def test_a_bar_is_shown_for_what_takes_long_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(counting, "time", SimpleNamespace(monotonic=lambda: now[0]))
    bar = counting.ProgressBar()
    bar(10 << 20, 100 << 20)
    assert capsys.readouterr().err == "", "not within the first second"
    now[0] += 2
    bar(50 << 20, 100 << 20)
    assert capsys.readouterr().err == "\r[###############...............]  50%  50 MiB, 25 MiB/s "
    bar(51 << 20, 100 << 20)
    assert capsys.readouterr().err == "", "not more than five times a second"
    now[0] += 1
    bar(60 << 20, 0)
    assert capsys.readouterr().err == "\r60 MiB, 20 MiB/s "
    bar.done()
    assert capsys.readouterr().err.startswith("\r")
