"""DATABASE_URLs as they are found in the wild."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.effort import at_most
from warroom.hosts.base import TcpAddress, UnixAddress
from warroom.hosts.postgres import BadUrl, parse_dsn

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
RAW_PASSWORD = st.text("abcXYZ019@#:!$&*()+,;=~|^<> é", min_size=1, max_size=20)


@pytest.mark.parametrize(
    "scheme",
    [
        "postgres",
        "postgresql",
        "postgresql+asyncpg",
        "postgresql+psycopg2",
        "PostgreSQL",
        "postgis",
    ],
)
def test_every_scheme_that_means_postgresql_is_one(scheme: str) -> None:
    dsn = parse_dsn(f"{scheme}://shop:s3cret@db.example:6432/orders")
    assert dsn.address == TcpAddress("db.example", 6432)
    assert (dsn.user, dsn.password, dsn.database) == ("shop", "s3cret", "orders")


@given(user=TEXT, password=TEXT, database=TEXT)
def test_what_is_percent_encoded_comes_back_exactly(
    user: str, password: str, database: str
) -> None:
    parts = [quote(text, safe="") for text in (user, password, database)]
    dsn = parse_dsn("postgres://{}:{}@db:6432/{}?schema=public".format(*parts))
    assert (dsn.user, dsn.password, dsn.database) == (user, password, database)
    assert dsn.place == "db:6432"


@given(password=RAW_PASSWORD)
def test_a_password_that_nobody_encoded_is_understood(password: str) -> None:
    dsn = parse_dsn(f"postgresql://shop:{password}@db:6432/orders?sslmode=require")
    assert (dsn.user, dsn.password) == ("shop", password)
    assert (dsn.place, dsn.database, dsn.sslmode) == ("db:6432", "orders", "require")


@given(password=st.text("ab/?@:#", min_size=1, max_size=12))
def test_an_ambiguous_password_is_read_or_refused_but_never_shown(password: str) -> None:
    secret = f"kept{password}secret"
    try:
        dsn = parse_dsn(f"postgresql://shop:{secret}@db:6432/orders")
    except BadUrl as error:
        assert "kept" not in str(error)
        assert "secret" not in str(error)
    else:
        assert dsn.password == secret
        assert "secret" not in repr(dsn)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_one_plain_line(text: str) -> None:
    try:
        parse_dsn(text)
    except BadUrl as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("piece", ["@", "a@", ",", ":", "a:b@/", "?a", "/@,", "%41", "a=b&"])
def test_a_long_address_is_read_or_refused_without_delay(piece: str) -> None:
    with at_most(1.0):
        try:
            parse_dsn("postgres://" + piece * (60_000 // len(piece)) + "@\n")
        except BadUrl as error:
            assert len(str(error)) < 200


@pytest.mark.parametrize(
    ("text", "pooled"),
    [
        ("postgres://u@h/d?schema=public&connection_limit=5&pool_timeout=10", False),
        ("postgres://u@h/d?pgbouncer=true", True),
        ("postgres://u@h/d?statement_cache_size=0", True),
        ("postgres://u@h/d?prepareThreshold=0", True),
        ("postgres://u@h/d?options=-csearch_path%3Dx&application_name=api", False),
    ],
)
def test_what_is_not_about_where_and_who_is_dropped(text: str, pooled: bool) -> None:
    dsn = parse_dsn(text)
    assert (dsn.place, dsn.user, dsn.database, dsn.pooled) == ("h:5432", "u", "d", pooled)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("postgresql:///d?host=/tmp/x&port=5433", "/tmp/x/.s.PGSQL.5433"),
        ("postgresql://u@/d?host=/tmp/x", "/tmp/x/.s.PGSQL.5432"),
        ("postgresql://u@%2Frun%2Fpg:6000/d", "/run/pg/.s.PGSQL.6000"),
        ("host=/run/pg port=6000 dbname=d", "/run/pg/.s.PGSQL.6000"),
        ("dbname=d", "/var/run/postgresql/.s.PGSQL.5432"),
    ],
)
def test_a_folder_is_a_unix_socket(text: str, path: str) -> None:
    assert parse_dsn(text).address == UnixAddress(path)


def test_libpq_words_are_read_with_their_quotes() -> None:
    dsn = parse_dsn(r"host=db user=shop password='it\'s a \\ secret' dbname=orders sslmode=disable")
    assert dsn.password == r"it's a \ secret"
    assert (dsn.place, dsn.user, dsn.database, dsn.sslmode) == (
        "db:5432",
        "shop",
        "orders",
        "disable",
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("sslmode=verify-full", "verify-full"),
        ("sslmode=no-verify", "require"),
        ("ssl=true", "require"),
        ("ssl=false", "disable"),
        ("ssl=require", "require"),
        ("", "prefer"),
    ],
)
def test_every_dialect_of_sslmode_is_one_of_libpqs(said: str, meant: str) -> None:
    assert parse_dsn(f"postgres://u@h/d?{said}").sslmode == meant


def test_quotes_and_blanks_around_it_do_no_harm() -> None:
    assert parse_dsn(' "postgres://u@h/d" \n').place == "h:5432"


def test_an_ipv6_address_keeps_its_brackets_on_the_screen() -> None:
    dsn = parse_dsn("postgres://u@[2001:db8::1]:5433/d")
    assert dsn.address == TcpAddress("2001:db8::1", 5433)
    assert dsn.place == "[2001:db8::1]:5433"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mysql://u:p@h/d", '"mysql" is not a PostgreSQL address'),
        ("postgres://u:p@a:1,b:2/d", "several hosts"),
        ("host=a,b dbname=d", "several hosts"),
        ("postgres://u:p@h:99999/d", "the port is a number"),
        ("postgres://u:p@h/d?sslmode=maybe", "sslmode is one of disable, allow"),
        ("orders", "write postgresql://"),
        ("", "write postgresql://"),
        ("a=b c", "not understood"),
    ],
)
def test_what_is_no_address_says_so_in_one_line(text: str, says: str) -> None:
    with pytest.raises(BadUrl, match=re.escape(says)):
        parse_dsn(text)
