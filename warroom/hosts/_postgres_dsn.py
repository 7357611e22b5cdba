"""Reads the DATABASE_URLs that people really have: pure, and never repeats what it was given.

libpq's own forms (https://www.postgresql.org/docs/current/libpq-connect.html, section 34.1.1) and
what ORMs, JDBC, Prisma, poolers and hosters make of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from warroom.hosts._urls import BadUrl, parts, port, shown
from warroom.hosts.base import Address, TcpAddress, UnixAddress

DEFAULT_PORT: Final = 5432
DEFAULT_FOLDER: Final = "/var/run/postgresql"
SSLMODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_SCHEME: Final = re.compile(
    r"(?:jdbc:)?(postgres|postgresql|pgsql|psql|postgis)(?:\+\w+)?://", re.IGNORECASE
)
_ANY_SCHEME: Final = re.compile(r"(?:jdbc:)?([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_PAIR: Final = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)\s*")
_SSL_WORDS: Final = {"true": "require", "1": "require", "on": "require", "no-verify": "require"}
_SSL_WORDS_OFF: Final = {"false": "disable", "0": "disable", "off": "disable"}
_UNCACHED: Final = ("statement_cache_size", "prepared_statement_cache_size", "preparethreshold")


@dataclass(frozen=True, slots=True)
class Dsn:
    """Where a PostgreSQL server is and who asks. `pooled`: a pooler stands in between, so session
    settings and prepared statements cannot be relied on."""

    host: str = ""
    port: int = DEFAULT_PORT
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    sslmode: str = "prefer"
    sslrootcert: str = ""
    sslcert: str = ""
    sslkey: str = ""
    pooled: bool = False

    @property
    def address(self) -> Address:
        """The endpoint, as the machine sees it on which the DSN is meant to be used."""
        folder = self.host or DEFAULT_FOLDER
        if folder.startswith("/"):
            return UnixAddress(f"{folder.rstrip('/')}/.s.PGSQL.{self.port}")
        return TcpAddress(self.host, self.port)

    @property
    def wants_tls(self) -> bool:
        """Without TLS nothing may be sent."""
        return self.sslmode in ("require", "verify-ca", "verify-full")

    @property
    def place(self) -> str:
        """The endpoint for people, without user and password."""
        address = self.address
        if isinstance(address, UnixAddress):
            return address.path
        return shown(address.host, address.port)


def parse_dsn(text: str) -> Dsn:
    """The server that `text` names: a URL of any scheme in the wild, or libpq's `key=value` words.

    What is not about where and who (`?schema=`, `?connection_limit=`, `?options=`) is dropped. A
    password with unescaped `@`, `:`, `#`, `/` or `?` is understood where one reading is possible.

    Raises BadUrl.

    >>> parse_dsn("postgresql+asyncpg://shop:a%40b@db:6432/orders?pgbouncer=true").place
    'db:6432'
    >>> parse_dsn("host=/run/pg dbname=orders").address
    UnixAddress(path='/run/pg/.s.PGSQL.5432')
    """
    text = text.strip().strip("\"'").strip()
    scheme = _SCHEME.match(text)
    if scheme:
        return _from_url(text[scheme.end() :])
    other = _ANY_SCHEME.match(text)
    if other:
        raise BadUrl(f'"{other[1]}" is not a PostgreSQL address; it starts with postgresql://')
    if "=" in text:
        return _with_words(Dsn(), _words(text))
    raise BadUrl("not a PostgreSQL address: write postgresql://user@host:5432/database")


def _from_url(rest: str) -> Dsn:
    url = parts(rest)
    dsn = Dsn(
        host=url.host,
        port=url.port or DEFAULT_PORT,
        user=url.user,
        password=url.password,
        database=url.path,
    )
    return _with_words(dsn, url.query)


def _words(text: str) -> dict[str, str]:
    """`key=value key='a value'` as libpq reads it."""
    words: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or pair.end() == at:
            raise BadUrl('not understood: write it as "host=… dbname=… user=…"')
        value = pair[2][1:-1] if pair[2].startswith("'") else pair[2]
        words[pair[1].lower()] = re.sub(r"\\(.)", r"\1", value)
        at = pair.end()
    return words


def _with_words(dsn: Dsn, words: Mapping[str, str]) -> Dsn:
    """`dsn` with what the parameters say about where, who and how."""
    host = words.get("host") or words.get("hostaddr") or dsn.host
    if "," in host:
        raise BadUrl("several hosts in one address: give each server a probe of its own")
    return replace(
        dsn,
        host=host,
        port=port(words.get("port", "")) or dsn.port,
        user=words.get("user", dsn.user),
        password=words.get("password", dsn.password),
        database=words.get("dbname", words.get("database", dsn.database)),
        sslmode=_sslmode(words),
        sslrootcert=words.get("sslrootcert", ""),
        sslcert=words.get("sslcert", ""),
        sslkey=words.get("sslkey", ""),
        pooled=words.get("pgbouncer", "").lower() in ("true", "1", "on")
        or any(words.get(name) == "0" for name in _UNCACHED),
    )


def _sslmode(words: Mapping[str, str]) -> str:
    said = (words.get("sslmode") or words.get("ssl") or "prefer").lower().replace("_", "-")
    mode = _SSL_WORDS.get(said) or _SSL_WORDS_OFF.get(said) or said
    if mode not in SSLMODES:
        raise BadUrl(f"sslmode is one of {', '.join(SSLMODES)}")
    return mode
