"""REDIS_URLs as they are found in the wild."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.hosts.base import TcpAddress, UnixAddress
from warroom.hosts.redis import BadUrl, parse_redis_url

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
RAW_PASSWORD = st.text("abcXYZ019@#:!$&*()+,;=~|^<> é", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "address", "db", "tls"),
    [
        ("redis://cache", TcpAddress("cache", 6379), 0, False),
        ("redis://cache:6380/3", TcpAddress("cache", 6380), 3, False),
        ("redis://cache?db=4", TcpAddress("cache", 6379), 4, False),
        ("rediss://cache:6380/1", TcpAddress("cache", 6380), 1, True),
        ("valkeys://cache", TcpAddress("cache", 6379), 0, True),
        ("redis+tls://cache", TcpAddress("cache", 6379), 0, True),
        ("cache:6380/2", TcpAddress("cache", 6380), 2, False),
        ("127.0.0.1", TcpAddress("127.0.0.1", 6379), 0, False),
        ("redis://[::1]:6380", TcpAddress("::1", 6380), 0, False),
        ("unix:///run/redis.sock?db=2", UnixAddress("/run/redis.sock"), 2, False),
        ("redis+socket:///run/r.sock?virtual_host=5", UnixAddress("/run/r.sock"), 5, False),
        ('"redis://cache"\n', TcpAddress("cache", 6379), 0, False),
    ],
)
def test_every_form_names_its_place_and_database(
    text: str, address: TcpAddress | UnixAddress, db: int, tls: bool
) -> None:
    url = parse_redis_url(text)
    assert (url.address, url.db, url.tls) == (address, db, tls)


@given(user=TEXT, password=TEXT)
def test_what_is_percent_encoded_comes_back_exactly(user: str, password: str) -> None:
    url = parse_redis_url(f"redis://{quote(user, safe='')}:{quote(password, safe='')}@cache:1/2")
    assert (url.user, url.password, url.place, url.db) == (user, password, "cache:1", 2)


@given(password=RAW_PASSWORD)
def test_a_password_that_nobody_encoded_is_understood_and_not_shown(password: str) -> None:
    url = parse_redis_url(f"rediss://:{password}kept@cache:6380/1?ssl_cert_reqs=none")
    assert (url.password, url.user, url.place) == (f"{password}kept", "", "cache:6380")
    assert not url.verified
    assert "kept" not in repr(url)


def test_a_socket_may_have_a_password() -> None:
    url = parse_redis_url("unix://shop:s3cret@/run/redis.sock?db=1")
    assert (url.user, url.password, url.path, url.db) == ("shop", "s3cret", "/run/redis.sock", 1)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_one_plain_line(text: str) -> None:
    try:
        parse_redis_url(text)
    except BadUrl as error:
        assert str(error).isprintable()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://cache", '"http" is not a Redis address'),
        ("", "write redis://host:6379/0"),
        ("redis://cache/three", "is a number"),
        ("redis://cache:99999", "the port is a number"),
        ("unix://run/redis.sock", "a socket's path starts with /"),
        ("redis://a:1,b:2", "several hosts"),
    ],
)
def test_what_is_no_address_says_so_in_one_line(text: str, says: str) -> None:
    with pytest.raises(BadUrl, match=re.escape(says)):
        parse_redis_url(text)
