"""A team's own format is read as it is written in nginx's config, or refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.config.problems import ConfigError
from warroom.engine.members import load_settings
from warroom.logs.formats.own import BadFormat, chosen
from warroom.logs.record import details, read
from warroom.logs.trust import Trust

MAIN = """log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';"""
TIMED = (
    "$host $remote_addr:$remote_port $remote_user [$time_iso8601] $msec rt=$request_time "
    'uct="$upstream_connect_time" us="$upstream_status" ua=$upstream_addr '
    '"$request_method $scheme://$host$request_uri" $status $bytes_sent |${http_user_agent}|$rest'
)
OBJECT = (
    'log_format j escape=json \'{"ip":"$remote_addr","uri":"$request_uri",\''
    '"\\"status\\":$status,\\"ua\\":\\"$http_user_agent\\"}";'
)


def test_the_directive_is_read_as_it_stands_in_the_config() -> None:
    fmt = chosen(MAIN)
    assert (fmt.name, fmt.asks) == ("main", True)
    line = (
        b'10.0.0.1 - john doe [21/Nov/2026:14:35:02 +0100] "GET /a?b HTTP/1.1" 502 157 "-" '
        b'"say \\x22hi\\x22 [x] 6.6.6.6" "203.0.113.7, 10.0.0.9"'
    )
    record = read(line, fmt)
    assert record is not None
    assert (record.client, record.user, record.at) == ("10.0.0.1", "john doe", 1795268102.0)
    assert (record.method, record.path, record.status, record.size) == ("GET", "/a?b", 502, 157)
    behind = read(line, fmt, Trust(["10.0.0.0/8"]))
    assert behind is not None
    assert behind.client == "203.0.113.7"
    assert dict(details(line, fmt))["http_x_forwarded_for"] == "203.0.113.7, 10.0.0.9"


def test_every_variable_is_a_field_and_those_with_a_meaning_have_it() -> None:
    fmt = chosen(TIMED)
    line = (
        b"shop.example 2001:db8::1:4711 - [2026-11-21T14:35:02+01:00] 1795268102.123 rt=0.003 "
        b'uct="0.001, 0.000 : 0.001" us="502, 200" ua=10.0.0.4:80, 10.0.0.5:80 : 10.0.0.6:80 '
        b'"GET https://shop.example/a b" 200 99 |curl|more | here'
    )
    record = read(line, fmt)
    assert record is not None
    assert (record.client, record.method, record.path) == ("2001:db8::1", "GET", "/a b")
    assert (record.status, record.size, record.host) == (200, 99, "shop.example")
    assert record.at == 1795268102.0
    fields = dict(details(line, fmt))
    assert fields["upstream_addr"] == "10.0.0.4:80, 10.0.0.5:80 : 10.0.0.6:80"
    assert (fields["remote_port"], fields["rest"]) == ("4711", "more | here")
    assert read(line.replace(b" 200 99 ", b" OK 99 "), fmt) is None


TYPED = {
    "remote_addr": ["203.0.113.7", "2001:db8::1", "unix:", ""],
    "remote_port": ["4711", ""],
    "status": ["200", "000"],
    "body_bytes_sent": ["0", "157"],
    "request_time": ["0.003", "-"],
    "time_local": ["21/Nov/2026:14:35:02 +0100"],
    "time_iso8601": ["2026-11-21T14:35:02+01:00"],
    "msec": ["1795268102.123"],
    "upstream_addr": ["-", "", "10.0.0.4:80", "10.0.0.4:80, unix:/x : 10.0.0.6:80"],
    "upstream_status": ["502, 504 : 200", "-"],
    "request_method": ["GET", "-"],
    "scheme": ["http", "https"],
    "host": ["shop.example", "[::1]", "-"],
    "pipe": ["p", "."],
}
BETWEEN = [" ", " - ", "|", "\t", ' "', '" ', '" "', " [", "] ", " rt=", ";", " {", "} "]


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str, dict[str, str]]:
    """A log_format, a line that nginx would write with it, and the values."""
    names = draw(st.lists(st.sampled_from([*TYPED, "http_x", "request", "args"]), min_size=1,
                          max_size=8, unique=True))  # fmt: skip
    template = line = draw(st.sampled_from(["", "[", "<7>", "a.b*c "]))
    values = {}
    for name in names:
        after = draw(st.sampled_from(BETWEEN))
        # nginx writes quotes and backslashes of a value as \\xXX
        free = st.text("ab /?=.é[](){}$^*+%:,-", max_size=12).filter(
            lambda t, a=after: a not in t + a[:-1]
        )
        values[name] = draw(st.sampled_from(TYPED[name]) if name in TYPED else free)
        template += f"${{{name}}}{after}" if draw(st.booleans()) else f"${name}{after}"
        line += values[name] + after
    return template, line, values


@given(written())
def test_what_nginx_would_write_with_a_log_format_is_read_back(
    made: tuple[str, str, dict[str, str]],
) -> None:
    template, line, values = made
    fields = details(line.encode(), chosen(f"log_format x '{template}';"))
    assert dict(fields) == values


def test_a_format_of_json_objects_is_read_too() -> None:
    line = b'{"ip":"203.0.113.7","uri":"/\\"q\\"","status":404,"ua":"a \\"b\\""}'
    record = read(line, chosen(OBJECT))
    assert record is not None
    assert (record.client, record.path, record.status) == ("203.0.113.7", '/\\"q\\"', 404)


def test_a_pattern_gives_its_groups() -> None:
    fmt = chosen(r"(?P<client>\S+) took (?P<took>\d+) for (?P<path>\S+)")
    record = read(b"203.0.113.7 took 7 for /cart", fmt)
    assert record is not None
    assert (record.client, record.path) == ("203.0.113.7", "/cart")
    assert not chosen(r"(?P<message>.*)").asks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("combind", 'no format is called "combind"; did you mean combined?'),
        ("?", 'no format is called "?"; `warroom top --format list` lists them'),
        (r"(?P<client>(a+)+)", "a repeat inside a repeat could hang the console"),
        (r"(?P<client>[a", "not a regular expression: unterminated character set at position 11"),
        ("$http_a$http_b", "nothing stands after $http_a: one cannot tell where it ends"),
        ("log_format main $remote_addr;", "not a log_format: its strings stand in quotes"),
        ("log_format main '$remote_addr' oops;", "not a log_format: its strings stand in quotes"),
        ("x" * 5000, "a format is at most 4096 characters long"),
    ],
)
def test_what_is_no_format_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(BadFormat) as refused:
        chosen(text)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_the_config_says_where_a_format_or_a_network_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "warroom.toml"
    path.write_text(
        '[[log]]\nname = "edge"\npath = "/a"\nformat = "combined"\n\n'
        '[[log]]\nname = "odd"\npath = "/b"\nformat = "combind"\n\n'
        '[[log]]\nname = "far"\npath = "/c"\ntrusted_proxies = ["10.0.0.0/8", "10.0.0.0/99"]\n'
    )
    with pytest.raises(ConfigError) as refused:
        load_settings(path)
    assert str(refused.value).splitlines() == [
        f'{path}:9:10: log[1].format: no format is called "combind"; did you mean combined?',
        f'{path}:14:19: log[2].trusted_proxies: "10.0.0.0/99" is no address and no network; '
        'such as "10.0.0.0/8"',
    ]


def test_the_config_takes_a_log_format_with_its_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "warroom.toml"
    entry = f"[[log]]\nname = \"edge\"\npath = \"/a\"\nformat = '''{MAIN}'''\n"
    path.write_text(entry + 'trusted_proxies = ["10.0.0.0/8", "::1"]\n')
    settings, _, _ = load_settings(path)
    assert chosen(settings.logs[0].format).name == "main"
    assert settings.logs[0].trusted_proxies == ("10.0.0.0/8", "::1")
