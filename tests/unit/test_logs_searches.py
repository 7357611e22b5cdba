"""Saved searches: counted as lines come, looked at as a source, checked against thresholds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.cli import written
from warroom.config.problems import ConfigError
from warroom.config.settings import LogEntry, SearchEntry
from warroom.config.values import Line, Name
from warroom.domain.clock import ManualClock
from warroom.domain.sample import Health, Level
from warroom.engine.checks import CheckState, evaluate
from warroom.engine.log_searches import SearchesProbe, search_checks
from warroom.engine.members import load_settings
from warroom.hosts.local import LocalHost
from warroom.logs import patterns
from warroom.logs.engine import LogEngine
from warroom.logs.searches import TOO_SLOW, Searches
from warroom.logs.split import batch_of

NOW = datetime(2026, 11, 21, 13, 35, tzinfo=UTC)
REFUSED = b"sshd[7]: authentication failure; rhost=203.0.113.7"


def entry(find: str, *, hide: str = "", log: str = "", warn: float | None = None) -> SearchEntry:
    return SearchEntry(Name("refused"), Line(find), Line(hide), Line(log), warn)


def test_lines_are_counted_for_a_minute_and_in_all() -> None:
    searches = Searches([entry("authentication failure")], ("auth",))
    (search,) = searches.all
    searches.take(0, batch_of([REFUSED, b"accepted", REFUSED]), 1000.0)
    searches.take(0, batch_of([REFUSED]), 1030.0)
    assert (search.rate(1031.0), search.total) == (3, 3)
    assert (search.rate(1065.0), search.total) == (1, 3)
    assert search.rate(2000.0) == 0
    assert search.last == REFUSED


def test_a_search_may_leave_out_lines_and_be_for_one_log() -> None:
    searches = Searches([entry("failure", hide="203.0.113.7", log="auth")], ("auth", "api"))
    searches.take(0, batch_of([REFUSED, b"failure of 198.51.100.9"]), 1000.0)
    searches.take(1, batch_of([b"failure of 198.51.100.9"]), 1000.0)
    assert searches.all[0].total == 1


async def test_a_search_may_be_for_fields_of_requests_as_a_filter_is(tmp_path: Path) -> None:
    line = '203.0.113.7 - - [21/Nov/2026:13:35:02 +0000] "GET /user/{} HTTP/1.1" 502 1 "-" "x"'
    log = LogEntry(Name("edge"), path=str(tmp_path / "access.log"))
    wanted = [entry("ip:203.0.113.7 path:/user/*"), entry("status:5xx", hide="path:/user/*")]
    engine = LogEngine((log,), {"": LocalHost()}, searches=wanted)
    source = engine._sources[0]
    source.take(f"{line.format(1)}\n{line.format(2)}\n".encode(), 1000.0)
    source.take(b"203.0.113.7 says path:/user/1\n", 1001.0)
    assert [search.total for search in engine.searches.all] == [2, 0]


def test_a_search_for_a_country_wants_a_database_of_countries(tmp_path: Path) -> None:
    text = "[[search]]\nname = 'a'\nfind = 'country:NL'\n"
    with pytest.raises(ConfigError, match="country wants a database of places"):
        load_settings(written(tmp_path, text))
    load_settings(written(tmp_path, f"{text}[addresses]\nmmdb = ['c.mmdb']\n"))
    engine = LogEngine((), {}, searches=[entry("country:NL")])  # the file may be gone later
    assert "database of places" in engine.searches.all[0].fault


def test_a_pattern_that_is_slow_stops_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TOO_SLOW_S", 0.0)
    searches = Searches([entry(r"re:\w*\w*[xy]")], ("auth",))
    searches.take(0, batch_of([b"w" * 60_000]), 1000.0)
    assert searches.all[0].fault == TOO_SLOW


async def test_a_rate_above_its_threshold_is_a_finding_until_it_is_well_below() -> None:
    clock = ManualClock(NOW)
    wanted = entry("failure", warn=10.0)
    logs = [LogEntry(Name("auth"), path="/nowhere")]
    engine = LogEngine(logs, {"": LocalHost()}, clock=clock, searches=[wanted])
    probe, checks, state = SearchesProbe(engine, clock), search_checks([wanted]), CheckState()
    engine.searches.take(0, batch_of([b"\x1b[31m" + REFUSED] * 12), NOW.timestamp())
    for _ in range(2):
        sample = await probe.sample()
        state = evaluate(checks, sample, state)
    (finding,) = state.findings
    assert (finding.level, finding.message) == (Level.WARN, "refused: 12 lines a minute")
    assert sample.health is Health.OK
    assert sample.rows[0].cells[3] == REFUSED.decode()
    clock.advance(61.0)
    for _ in range(2):
        state = evaluate(checks, await probe.sample(), state)
    assert not state.findings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\nfind = "re:("', "not a regular expression"),
        ('name = "x"\nfind = "y"\nlog = "nobody"', "no source is called"),
        ('name = "x"\nfind = ""', "find: what is looked for"),
        ('name = "x"\nfind = "y"\nwarn = 0', "more than 0"),
        ('name = "x"\nfind = "y"\nwarn = 9\ncritical = 3', "fewer lines a minute than warn"),
        ('name = "x"\nfind = "y"\n[[search]]\nname = "x"\nfind = "z"', "x"),
    ],
)
def test_what_is_wrong_with_a_search_is_said_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    config = written(tmp_path, f'[[log]]\nname = "a"\npath = "/x"\n[[search]]\n{text}')
    with pytest.raises(ConfigError) as refused:
        load_settings(config)
    assert said in str(refused.value)
    assert str(config) in str(refused.value)


def test_braces_in_a_name_are_but_a_name() -> None:
    (check,) = search_checks([SearchEntry(Name("pool-{value}"), Line("x"), warn=1.0)])
    assert check.message.format(value=3.0, row="") == "pool-{value}: 3 lines a minute"


def test_the_last_line_of_a_stranger_is_harmless() -> None:
    clock = ManualClock(NOW)
    logs = [LogEntry(Name("auth"), path="/nowhere")]
    engine = LogEngine(logs, {"": LocalHost()}, clock=clock, searches=[entry("failure")])
    evil = b"failure \x1b]0;x\x07 [@click=app.bell]x[/] \xe2\x80\xae \x9b \xff" + b"w" * 10_000_000
    engine.searches.take(0, batch_of([evil]), NOW.timestamp())
    sample = asyncio.run(SearchesProbe(engine, clock).sample())
    told = str(sample.rows[0].cells[3])
    assert len(told) <= 200
    assert told.isprintable()
