"""warroom's own nginx file, nginx's dump and the options: read strictly, written exactly."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import BAD_BYTES, CORPUS
from warroom.config.problems import Problem
from warroom.config.shape import shape
from warroom.mitigations._addresses import Range, canonical, shown
from warroom.mitigations._nginx_dump import Dump, NotFollowed, matches, read
from warroom.mitigations._nginx_options import BlockOptions, LimitOptions, ReloadOptions
from warroom.mitigations._nginx_rules import (
    HEADER,
    Deny,
    Limit,
    NotOurs,
    Rules,
    Signed,
    parse,
    word,
)

NOW = datetime(2026, 11, 21, 14, 35, 2, tzinfo=UTC)
SIGNED = Signed(NOW, "ann", "INC-2026-11-21-001")
FOREVER = Signed(None, "bob", "-")
LINE = "deny 203.0.113.7; # until 2026-11-21T14:35:02Z by ann in INC-2026-11-21-001"


def deny(text: str, signed: Signed = SIGNED) -> Deny:
    return Deny(canonical(text), signed)


def test_each_line_says_until_when_by_whom_and_in_which_incident() -> None:
    assert deny("203.0.113.7").line == LINE
    assert deny("2001:db8::/48", FOREVER).line == "deny 2001:db8::/48; # until lifted by bob in -"
    assert Rules((deny("203.0.113.7"),)).render() == f"{HEADER}\n{LINE}\n".encode()


ranges = st.one_of(
    st.integers(2**24, 2**32 - 1).map(lambda n: canonical(f"{n >> 24}.{n >> 16 & 255}.7.0/24")),
    st.integers(1, 0xFFFF).map(lambda n: canonical(f"2001:db8:{n:x}::/48")),
)
times = st.none() | st.integers(0, 10**6).map(lambda s: NOW + timedelta(seconds=s))
signatures = st.builds(Signed, times, st.text().map(word), st.text().map(word))
paths = st.from_regex(r"/[A-Za-z0-9._~/-]{0,20}", fullmatch=True)
limits = st.builds(
    Limit,
    st.integers(1, 10**6), st.sampled_from("sm"), st.integers(0, 10**5),
    st.sampled_from(["64k", "10m"]), paths, signatures, st.booleans(),
)  # fmt: skip


@given(st.lists(st.builds(Deny, ranges, signatures), max_size=8), st.none() | limits)
def test_what_is_written_is_read_again_whoever_signed_it(
    denies: list[Deny], limit: Limit | None
) -> None:
    rules = Rules(tuple(denies), limit)
    assert parse(rules.render()) == rules


@given(st.binary(max_size=60), st.integers(0, 200))
def test_a_file_that_somebody_else_touched_is_not_understood(junk: bytes, at: int) -> None:
    """Nothing of the team's own can be lost: what is not warroom's, byte for byte, is refused."""
    ours = Rules((deny("203.0.113.7"),), Limit(1, "s", 2, "10m", "/", SIGNED)).render()
    at = min(at, len(ours))
    changed = ours[:at] + junk + ours[at:]
    try:
        assert parse(changed).render() == changed
    except NotOurs as refused:
        assert str(refused).isprintable()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "first line"),
        (b"\n", "first line"),
        (b"deny 203.0.113.7;\n", "first line"),
        (f" {HEADER}\n".encode(), "first line"),
        (f"\ufeff{HEADER}\n".encode(), "first line"),
        (HEADER.encode(), "line 1|not as warroom"),
        (f"{HEADER}\r\n".encode(), "first line"),
        (f"{HEADER}\n\n".encode(), "line 2"),
        (f"{HEADER}\n{LINE}".encode(), "line 2|not as warroom"),
        (f"{HEADER}\n{LINE}\nallow all;\n".encode(), "line 3"),
        (f"{HEADER}\nallow all;\n{LINE}\n".encode(), "line 2"),
        (f"{HEADER}\n{LINE} }} http {{\n".encode(), "line 2"),
        (f"{HEADER}\n# a note\n".encode(), "line 2"),
        (f"{HEADER}\n{LINE.replace('203.0.113.7', '203.0.113.07')}\n".encode(), "octal"),
        (f"{HEADER}\n{LINE.replace('203.0.113.7', '::ffff:203.0.113.7')}\n".encode(), "line 2"),
        (f"{HEADER}\n{LINE.replace('2026-11-21T', '2026-13-41T')}\n".encode(), "no time"),
        *((f"{HEADER}\n".encode() + bad + b"\n", "line 2") for bad in BAD_BYTES.values()),
        *((f"{HEADER}\n{text}\n".encode(), "line 2") for text in CORPUS.values()),
        (f"{HEADER}\n".encode() + b"x" * 10_000_000, "line 2"),
    ],
)
def test_hostile_and_foreign_content_is_refused_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(NotOurs, match=words) as refused:
        parse(data)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


@given(st.text())
def test_a_name_never_ends_its_comment(text: str) -> None:
    line = Deny(canonical("203.0.113.7"), Signed(None, word(text), word(text))).line
    assert re.fullmatch(r"deny 203\.0\.113\.7; # until lifted by \S{1,60} in \S{1,60}", line)


def test_a_wider_rule_and_the_longest_standing_one_are_found() -> None:
    soon, late = SIGNED, Signed(NOW + timedelta(hours=1), "ann", "-")
    rules = Rules((deny("203.0.113.0/24", soon), deny("203.0.0.0/16", late), deny("198.51.100.1")))
    assert rules.covering(canonical("203.0.113.7")) == deny("203.0.0.0/16", late)
    assert rules.covering(canonical("198.51.100.1")) is None
    assert rules.denying(canonical("198.51.100.1")) == deny("198.51.100.1")
    assert rules.overdue(NOW) == (deny("203.0.113.0/24", soon), deny("198.51.100.1"))
    assert rules.lifted(canonical("203.0.0.0/16")).count == "1 address and 1 range"
    assert FOREVER.outlasts(late)
    assert late.outlasts(soon)
    assert not soon.outlasts(FOREVER)


def test_a_limit_names_rate_burst_zone_and_path() -> None:
    limit = Limit(10, "s", 20, "10m", "/wp-login.php", SIGNED)
    assert limit.lines[1:] == (
        'map $uri $warroom_limit { default ""; "~^/wp\\-login\\.php" $binary_remote_addr; }',
        "limit_req_zone $warroom_limit zone=warroom_limit:10m rate=10r/s;",
        "limit_req zone=warroom_limit burst=20 nodelay;",
        "limit_req_status 429;",
    )
    theirs = dataclasses.replace(limit, burst=0, sets_status=False)
    assert theirs.lines[-1] == "limit_req zone=warroom_limit;"


# What nginx -T says ----------------------------------------------------------------------------

MAIN = b"""
http {
  log_format x "a;b{c}" '}' ${d}e; # } comment {
  include conf.d/*.conf;
  server { listen 80; include sites/*; location ~ "^/x{2}" { deny all; allow 10.0.0.0/8; } }
  server { content_by_lua_block { ngx.say("}") -- don't {}
  } listen 81; }
}
"""


def dump(**files: bytes) -> Dump:
    parts = {"/etc/nginx/nginx.conf": MAIN, **{f"/etc/nginx/{n}": t for n, t in files.items()}}
    printed = (b"# configuration file %s:\n%s\n" % (n.encode(), t) for n, t in parts.items())
    return read(b"".join(printed))


def test_a_dump_gives_back_every_file_byte_for_byte() -> None:
    found = dump(**{"conf.d/a.conf": b"\xff\x00 #\n\n", "sites/b": b""})
    assert list(found.files.values()) == [MAIN, b"\xff\x00 #\n\n", b""]


@pytest.mark.parametrize(
    ("path", "blocks"),
    [
        ("/etc/nginx/conf.d/warroom.conf", (("http",),)),
        ("/etc/nginx/sites/warroom", (("http", "server"),)),
        ("/etc/nginx/conf.d/warroom", ()),
        ("/etc/nginx/conf.d/.warroom.conf", ()),
        ("/etc/nginx/conf.d/a/warroom.conf", ()),
        ("/conf.d/warroom.conf", ()),
    ],
)
def test_where_a_file_would_be_included_is_known_before_it_is_there(
    path: str, blocks: tuple[tuple[str, ...], ...]
) -> None:
    assert dump().blocks_of(path) == blocks


def test_directives_are_found_with_their_blocks_and_lines() -> None:
    found = dump(**{"conf.d/a.conf": b"\nallow all;\n"})
    [first, second] = found.named("allow")
    assert (first.place, first.blocks) == ("/etc/nginx/conf.d/a.conf:2", ("http",))
    assert (second.place, second.blocks) == (
        "/etc/nginx/nginx.conf:5",
        ("http", "server", "location"),
    )
    assert [d.words[1] for d in found.named("listen")] == [b"80", b"81"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'"never closed', "not understood"),
        (b"}", 'unexpected "}"'),
        (b"a { b } ", 'unexpected "}"'),
        (b"a;;", 'unexpected ";"'),
        (b"a { " * 50, "without end"),
        (b"http { include nginx.conf; }", "without end"),
    ],
)
def test_what_cannot_be_followed_is_said_so(text: bytes, words: str) -> None:
    found = Dump({"/etc/nginx/nginx.conf": text})
    with pytest.raises(NotFollowed, match=words):
        assert found.directives
    with pytest.raises(NotFollowed):
        read(b"no file at all")


@given(st.binary(max_size=80))
def test_any_bytes_are_followed_or_refused(text: bytes) -> None:
    try:
        for directive in Dump({"/nginx.conf": text}).directives:
            assert directive.place.isprintable()
    except NotFollowed as refused:
        assert len(str(refused)) < 300


def test_patterns_match_as_glob_does() -> None:
    assert matches("/a/*.conf", "/a/b.conf")
    assert matches("/a/[b-d].conf", "/a/c.conf")
    assert matches("/a/.b*", "/a/.bc")
    assert not matches("/a/*", "/a/.b")
    assert not matches("/a/*", "/a/b/c")


# Options ---------------------------------------------------------------------------------------

FILE = "/etc/nginx/conf.d/warroom.conf"


def problems(kind: type, **table: object) -> list[str]:
    found: list[Problem] = []
    shape(kind, table, (), found)
    return [f"{problem.path}: {problem.message}" for problem in found]


@pytest.mark.parametrize(
    ("kind", "table", "words"),
    [
        (BlockOptions, {}, '"include" is missing'),
        (BlockOptions, {"include": "warroom.conf"}, "plain absolute path"),
        (BlockOptions, {"include": "/etc/nginx/../passwd"}, "plain absolute path"),
        (BlockOptions, {"include": "/etc/nginx/*.conf"}, "plain absolute path"),
        (BlockOptions, {"include": "/etc/nginx//a.conf"}, "plain absolute path"),
        (BlockOptions, {"include": "/etc/nginx/a.conf;"}, "plain absolute path"),
        (BlockOptions, {"include": "/etc/nginx/a\x1b.conf"}, "plain absolute path"),
        (BlockOptions, {"include": "/etc/nginx/"}, "plain absolute path"),
        (BlockOptions, {"include": FILE, "address": "203.0.113.07"}, "octal"),
        (BlockOptions, {"include": FILE, "never": ["10.0.0.0/8", "office"]}, "never.*characters"),
        (BlockOptions, {"include": FILE, "ttl": "soon"}, "duration"),
        (BlockOptions, {"include": FILE, "nginx": []}, "nginx"),
        (BlockOptions, {"include": FILE, "nginx": ["nginx", "\x1b"]}, "nginx"),
        (ReloadOptions, {"verify_url": "ftp://x/"}, "verify_url"),
        (ReloadOptions, {"verify_url": "http:///x"}, "verify_url"),
        (ReloadOptions, {"verify_url": "http://x:99999/"}, "verify_url"),
        (ReloadOptions, {"verify_url": "http://u:p@x/"}, "password"),
        (ReloadOptions, {"verify_header": "X-Real-IP"}, "verify_url"),
        (ReloadOptions, {"verify_url": "http://x/", "verify_header": "X: y\r\nZ"}, "verify_header"),
        (LimitOptions, {"include": FILE, "rate": "0r/s"}, "rate"),
        (LimitOptions, {"include": FILE, "rate": "10"}, "rate"),
        (LimitOptions, {"include": FILE, "burst": -1}, "burst"),
        (LimitOptions, {"include": FILE, "zone": "1k"}, "zone"),
        (LimitOptions, {"include": FILE, "path": '/"; return 200; #'}, "path"),
        (LimitOptions, {"include": FILE, "path": "login"}, "path"),
    ],
)
def test_a_mistake_in_the_config_is_told(kind: type, table: dict[str, object], words: str) -> None:
    found = problems(kind, **table)
    assert len(found) == 1
    assert re.search(words, found[0])


def test_options_go_into_the_record_and_come_back_as_they_were() -> None:
    options = BlockOptions(include=FILE, nginx=("sudo", "-n", "nginx"), never=("10.0.0.0/8",))
    assert BlockOptions(**{**options.plain, "nginx": options.nginx, "never": options.never}) == (
        options
    )
    assert problems(BlockOptions, **options.plain) == []


def test_ranges_are_shown_as_nginx_takes_them() -> None:
    found: list[Range] = [canonical("203.0.113.7"), canonical("2001:db8::/32")]
    assert [shown(one) for one in found] == ["203.0.113.7", "2001:db8::/32"]
