"""Options of probes and mitigations: every mistake in one go, and what a mitigation may borrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom.config.load import parse
from warroom.config.problems import ConfigError
from warroom.engine.members import MitigationMember, ProbeMember, load_settings, settled

FILE = Path("warroom.toml")


def members(source: str) -> tuple[tuple[ProbeMember, ...], tuple[MitigationMember, ...]]:
    _, probes, mitigations = settled(parse(source, FILE))
    return probes, mitigations


def complaints(source: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        members(source)
    return str(caught.value).splitlines()


def test_mistakes_in_sections_options_and_checks_come_together_in_the_order_of_the_file():
    lines = complaints(
        """[incident]
timezone = "Nowhere/Land"
[[probe]]
kind = "htp"
[[probe]]
kind = "redis"
urll = "redis://localhost"
evry = "5s"
[[mitigation]]
kind = "docker.restrt"
[[check]]
id = "mine"
kind = "redis"
metrc = "keys"
message = "x"
"""
    )
    assert [line.split(": ")[0] for line in lines] == [
        "warroom.toml:2:12",
        "warroom.toml:4:8",
        "warroom.toml:5:3",
        "warroom.toml:7:1",
        "warroom.toml:8:1",
        "warroom.toml:10:8",
        "warroom.toml:14:1",
    ]
    assert 'no probe is of kind "htp"; did you mean "http"?' in lines[1]
    assert '"url" is missing' in lines[2]
    assert 'did you mean "url"?' in lines[3]
    assert 'did you mean "every"?' in lines[4], "the keys that every probe has are offered too"
    assert 'no mitigation is of kind "docker.restrt"; did you mean "docker.restart"?' in lines[5]
    assert 'did you mean "metric"?' in lines[6]


def test_a_password_in_a_config_is_refused_and_not_repeated():
    (line,) = complaints('[[probe]]\nkind = "postgres"\ndsn = "postgresql://u:hunter2@h/d"\n')
    assert "hunter2" not in line
    assert 'name where it is: "env:NAME"' in line


def test_a_mitigation_takes_what_it_needs_from_the_only_probe_of_its_kind():
    _, (flush,) = members(
        """[hosts.web1]
ssh = "web1"
[[probe]]
kind = "redis"
name = "cache"
url = "env:REDIS_URL"
on = "web1"
[[mitigation]]
kind = "redis.flushdb"
"""
    )
    assert flush.options.url.reference == "env:REDIS_URL"
    assert (flush.entry.probe, flush.entry.on) == ("cache", "web1")


TWO = """[[probe]]
kind = "redis"
name = "cache"
url = "env:CACHE_URL"
[[probe]]
kind = "redis"
name = "queue"
url = "env:QUEUE_URL"
[[mitigation]]
kind = "redis.flushdb"
"""


def test_with_two_of_them_it_asks_which_and_takes_the_named_one():
    (line,) = complaints(TWO)
    assert line == (
        "warroom.toml:9:3: mitigation[0]: which redis probe does it act on?; "
        'write probe = "NAME", one of: cache, queue'
    )
    _, (flush,) = members(TWO + 'probe = "queue"\n')
    assert flush.options.url.reference == "env:QUEUE_URL"


def test_what_a_mitigation_says_itself_wins_over_what_it_could_borrow():
    _, (flush,) = members(TWO + 'url = "env:OTHER"\n')
    assert flush.options.url.reference == "env:OTHER"
    assert flush.entry.probe == ""


def test_a_mistake_in_a_borrowed_option_is_told_once_where_it_stands():
    lines = complaints(
        '[[probe]]\nkind = "redis"\nurl = 3\n[[mitigation]]\nkind = "redis.flushdb"\n'
    )
    assert lines == ["warroom.toml:3:7: probe[0].url: expected text, found 3"]


def test_a_file_loads_from_the_very_bytes_that_were_trusted(tmp_path: Path):
    file = tmp_path / "warroom.toml"
    file.write_text("[incident]\n[consle]\n")
    config, probes, _ = load_settings(file, b'[[probe]]\nkind = "machine"\n')
    assert [probe.entry.name for probe in probes] == ["machine"]
    assert config.file == file
    with pytest.raises(ConfigError, match="consle"):
        load_settings(file)
