"""A config with mistakes names every one of them; a right one becomes frozen settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.config.load import parse, read
from warroom.config.problems import ConfigError, Problem
from warroom.config.settings import Settings
from warroom.domain.text import harmless

FILE = Path("warroom.toml")


def loaded(source: str) -> Settings:
    return parse(source, FILE).settled()


def complaints(source: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(source)
    return str(caught.value).splitlines()


def test_the_config_of_the_documentation_loads():
    config = loaded(
        """
        [incident]
        scheme = "P0-P3"
        timezone = "Europe/Berlin"
        runbooks = ["runbooks/*.md"]
        [hosts.web1]
        ssh = "deploy@web1"
        [[probe]]
        kind = "http"
        name = "api"
        url = "https://shop.example/health"
        every = "5s"
        [[probe]]
        kind = "postgres"
        dsn = "env:DATABASE_URL"
        on = "web1"
        [[log]]
        name = "edge"
        path = "/var/log/nginx/access.log"
        on = "web1"
        [[mitigation]]
        key = "r"
        kind = "docker.restart"
        title = "Restart api"
        container = "shop-api"
        """
    )
    assert [(p.kind, p.name, p.every) for p in config.probes] == [
        ("http", "api", 5.0),
        ("postgres", "postgres", None),
    ]
    assert config.probes[1].options == {"dsn": "env:DATABASE_URL"}
    assert config.mitigations[0].options == {"container": "shop-api"}
    assert config.scheme.names == ("P0", "P1", "P2", "P3")


def test_five_mistakes_are_five_lines_each_with_its_place_and_a_way_out():
    lines = complaints(
        """[incident]
scheme = "P0-P4"
timezone = "Europe/Berlln"
[[probe]]
kind = "http"
every = "5 sec"
[[log]]
name = "edge"
pth = "/var/log/nginx/access.log"
[[probe]]
kind = "redis"
on = "web1"
[hosts.web2]
ssh = "deploy@web2"
"""
    )
    assert lines == [
        'warroom.toml:2:10: incident.scheme: no scheme is called "P0-P4"; did you mean "P1-P4"?',
        'warroom.toml:3:12: incident.timezone: "Europe/Berlln" is not a time zone of this machine; '
        'did you mean "Europe/Berlin"?',
        'warroom.toml:6:9: probe[0].every: "5 sec" is not a duration; '
        'write it as "5s", "250ms", "1.5m" or "2h"',
        'warroom.toml:9:1: log[0].pth: unknown key; did you mean "path"?',
        'warroom.toml:12:6: probe[1].on: no host is called "web1"; did you mean "web2"?',
    ]


def test_problems_found_later_by_whoever_knows_the_kinds_join_those_of_the_file():
    document = parse('[[probe]]\nkind = "http"\nurl = 3\n[consle]\n', FILE)
    with pytest.raises(ConfigError) as caught:
        document.settled([Problem(("probe", 0, "url"), "expected text, found 3")])
    assert str(caught.value).splitlines() == [
        "warroom.toml:3:7: probe[0].url: expected text, found 3",
        'warroom.toml:4:2: consle: unknown section; did you mean "console"?',
    ]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            "probe = 3",
            "1:9: probe: expected a list of tables, found 3; write each probe under a "
            "heading of its own, [[probe]]",
        ),
        (
            '[probe]\nkind = "http"',
            "1:2: probe: expected a list of tables, found a table; write "
            "each probe under a heading of its own, [[probe]]",
        ),
        (
            '[[incident]]\nscheme = "P0-P3"',
            "1:3: incident: expected one table, found a list; write it as [incident]",
        ),
        ("hosts = []", "1:9: hosts: expected one table, found a list; write it as [hosts.NAME]"),
        (
            'hosts = {web1 = "deploy@web1"}',
            '1:17: hosts.web1: expected a table, found "deploy@web1"',
        ),
        (
            'probe = ["http"]',
            '1:10: probe[0]: expected a table, found "http"; write it as [[probe]]',
        ),
        ("[[probe]]\nname = 'x'", '1:3: probe[0]: "kind" is missing; such as kind = "http"'),
        ("[[probe]]\nkind = 3", "2:8: probe[0].kind: expected text, found 3"),
        ("check = [1]", "1:10: check[0]: expected a table, found 1; write it as [[check]]"),
        (
            "[schemes.ours]\nlevels = []",
            "2:10: schemes.ours.levels: a scheme has at least one level",
        ),
        (
            '[schemes.ours]\nlevels = [{name = "A"}, {name = "a"}]',
            '2:10: schemes.ours.levels: two levels are called "a"',
        ),
        (
            '[hosts.w]\nssh = "-oProxyCommand=id"',
            '2:7: hosts.w.ssh: "-oProxyCommand=id" is not a host; '
            'write it as "web1" or "deploy@web1"',
        ),
        (
            '[[probe]]\nkind = "http"\nevery = 0',
            "3:9: probe[0].every: 0 is too short; at least 0.1 s",
        ),
        (
            '[[probe]]\nkind = "a"\n[[probe]]\nkind = "a"',
            '3:3: probe[1].name: "a" is the name of another probe already; '
            "give it a name of its own",
        ),
        (
            '[console]\nlayout = "rom"',
            '2:10: console.layout: "rom" is not allowed; did you mean "room"?',
        ),
        (
            '[[log]]\nname = "x"\npath = "/x"\nunit = "y"',
            "1:3: log[0]: a log wants one of path, container, unit, pm2, argv; found path and unit",
        ),
        (
            '[[mitigation]]\nkind = "redis.flushdb"\nprobe = "chache"\n[[probe]]\nkind = "redis"\n'
            'name = "cache"',
            '3:9: mitigation[0].probe: no probe is called "chache"; did you mean "cache"?',
        ),
        ("[incident\n", "1:10: not TOML: Expected ']' at the end of a table declaration"),
        ("a = ", "1:5: not TOML: Invalid value"),
        (
            '[incident]\ntimezone = "Berlin"',
            '2:12: incident.timezone: "Berlin" is not a time zone '
            'of this machine; did you mean "Europe/Berlin"?',
        ),
    ],
)
def test_a_mistake_reads_as_one_plain_line(source: str, complaint: str):
    assert complaints(source) == [f"warroom.toml:{complaint}"]


def test_a_mistake_in_a_table_does_not_hide_another_in_the_same_table():
    lines = complaints('[incident]\ntimezone = "Nowhere"\nscheme = "P9"\nrunbok = []\n')
    assert [line.split(": ")[1] for line in lines] == [
        "incident.timezone",
        "incident.scheme",
        "incident.runbok",
    ]


def test_hosts_that_are_wrong_in_themselves_are_not_called_unknown_too():
    lines = complaints('[hosts.web1]\nshs = "x"\n[[probe]]\nkind = "http"\non = "web1"\n')
    assert [line.partition(" ")[2] for line in lines] == [
        'hosts.web1: "ssh" is missing; how ssh knows it: "web1" or "deploy@web1"',
        'hosts.web1.shs: unknown key; did you mean "ssh"?',
    ]


@pytest.mark.parametrize(
    "source",
    [
        '"\\u001b[31mred" = 1',
        '[hosts."a\\u0007\\u009b2J"]\nssh = "x"',
        '[[probe]]\nkind = "http"\nname = "a\\u202Egnp.exe"',
        '[[probe]]\nkind = "http"\non = "\\u001b]0;owned\\u0007"',
        '[incident]\ntimezone = "\\u0000\\r\\n\\u001b[2J"',
        '[incident]\n"a\\nb" = 1',
        '[console]\nlayout = "\\u001bc"',
    ],
)
def test_control_characters_of_the_file_come_out_harmless(source: str):
    text = "\n".join(complaints(source))
    assert harmless(text, lines=True) == text
    assert all(line.startswith("warroom.toml:") for line in text.split("\n"))


def test_a_file_with_thousands_of_mistakes_says_fifty_and_how_many_more():
    lines = complaints("\n".join(f"key{i} = 1" for i in range(3000)))
    assert len(lines) == 51
    assert lines[-1] == "warroom.toml: and 2950 more problems"


@pytest.mark.parametrize(
    "source",
    ["a = " + "9" * 5000, "a = " + "[" * 50_000, "x = 2021-99-99"],
)
def test_what_no_parser_takes_is_one_line_too(source: str):
    (line,) = complaints(source)
    assert line.startswith("warroom.toml:1:")


def test_a_very_long_value_or_key_is_not_repeated():
    lines = complaints(f'"{"k" * 100_000}" = 1\n[incident]\nscheme = "{"s" * 100_000}"\n')
    assert max(map(len, lines)) < 400


def test_columns_count_characters_also_after_wide_ones():
    (line,) = complaints('incident = { "größe" = 1 }')
    assert line.startswith("warroom.toml:1:14: incident.größe: unknown key")


def test_a_byte_order_mark_is_let_pass_and_other_encodings_are_named(tmp_path: Path):
    file = tmp_path / "warroom.toml"
    file.write_bytes(b"\xef\xbb\xbf[incident]\n")
    assert read(file).settled().incident.scheme == "P0-P3"
    file.write_bytes(b"[incident]\n\xff\xfe")
    with pytest.raises(ConfigError, match=r"not UTF-8 text \(byte 11\)"):
        read(file)


def test_what_cannot_be_read_says_so(tmp_path: Path):
    for path, message in [
        (tmp_path / "none.toml", "No such file"),
        (tmp_path, "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (Path("a\0b"), "null"),
    ]:
        with pytest.raises(ConfigError, match=message):
            read(path)
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="larger than 4 MiB"):
        read(large)


_KEYS = st.sampled_from(
    ["incident", "hosts", "schemes", "console", "journal", "probe", "log", "mitigation", "check",
     "scheme", "timezone", "kind", "name", "on", "every", "timeout", "levels", "ssh", "path",
     "argv", "keys", "probe", "access", "observe"]
) | st.text(max_size=8)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["P0-P3", "UTC", "5s", "http", "/x", "web1", "env:X", "room"])
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
).filter(lambda value: value is not None)  # fmt: skip


@given(table=st.dictionaries(_KEYS, _VALUES, max_size=8))
@settings(deadline=None, max_examples=100)
def test_whatever_a_file_holds_the_answer_is_settings_or_a_config_error(table: dict[str, object]):
    import tomlkit

    try:
        source = tomlkit.dumps(_without_none(table))
    except (ValueError, TypeError, RecursionError):  # what TOML itself cannot say
        return
    try:
        assert isinstance(loaded(source), Settings)
    except ConfigError as error:
        assert harmless(str(error), lines=True) == str(error)
        assert all(line.startswith("warroom.toml:") for line in str(error).split("\n"))


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_none(v) for v in value if v is not None]
    return value


@given(source=st.text(max_size=200))
@settings(deadline=None, max_examples=100)
def test_text_that_is_no_toml_is_a_config_error(source: str):
    try:
        loaded(source)
    except ConfigError as error:
        assert str(error).startswith("warroom.toml:")
