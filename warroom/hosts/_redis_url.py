"""Reads the REDIS_URLs that people really have: pure, and never repeats what it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from warroom.hosts._urls import BadUrl, parts, port, shown
from warroom.hosts.base import Address, TcpAddress, UnixAddress

DEFAULT_PORT: Final = 6379

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_PLAIN: Final = ("redis", "valkey", "keydb", "dragonfly", "tcp")
_TLS: Final = ("rediss", "valkeys", "redis+tls", "redis+ssl", "tls")
_SOCKET: Final = ("unix", "redis+socket", "redis+unix", "redis-socket", "valkey+socket")
_BARE: Final = re.compile(r"(\[[0-9a-fA-F:]+\]|[\w.-]+)(?::(\d{1,5}))?(?:/(\d+))?")
_UNVERIFIED: Final = ("none", "cert_none", "0", "false", "optional", "cert_optional", "insecure")


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Where a Redis is, who asks and which database is meant. `path` is of a unix socket."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    path: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    db: int = 0
    tls: bool = False
    verified: bool = True
    ca_file: str = ""

    @property
    def address(self) -> Address:
        """The endpoint, as the machine sees it on which the URL is meant to be used."""
        return UnixAddress(self.path) if self.path else TcpAddress(self.host, self.port)

    @property
    def place(self) -> str:
        """The endpoint for people, without user and password."""
        return self.path or shown(self.host, self.port)


def parse_redis_url(text: str) -> RedisUrl:
    """The server that `text` names: a URL of any scheme in the wild, or `host:port/db`.

    Raises BadUrl.

    >>> one = parse_redis_url("rediss://:s#cret@cache:6380/3")
    >>> one.place, one.db, one.tls
    ('cache:6380', 3, True)
    >>> parse_redis_url("unix:///run/redis.sock?db=2").address
    UnixAddress(path='/run/redis.sock')
    """
    text = text.strip().strip("\"'").strip()
    scheme = _SCHEME.match(text)
    if scheme is None:
        bare = _BARE.fullmatch(text)
        if bare is None:
            raise BadUrl("not a Redis address: write redis://host:6379/0")
        host = bare[1].strip("[]")
        return RedisUrl(host, port(bare[2] or "") or DEFAULT_PORT, db=_db(bare[3] or ""))
    name, rest = scheme[1].lower(), text[scheme.end() :]
    if name in _SOCKET:
        return _socket(rest)
    if name not in (*_PLAIN, *_TLS):
        raise BadUrl(f'"{name}" is not a Redis address; it starts with redis:// or rediss://')
    url = parts(rest)
    return RedisUrl(
        host=url.host or "127.0.0.1",
        port=url.port or DEFAULT_PORT,
        user=url.query.get("username", url.user),
        password=url.query.get("password", url.password),
        db=_db(url.query.get("db") or url.path),
        tls=name in _TLS or url.query.get("ssl", "").lower() in ("true", "1"),
        verified=_verified(url.query),
        ca_file=url.query.get("ssl_ca_certs", ""),
    )


def _socket(rest: str) -> RedisUrl:
    """`[:password@]/path?db=N`: the path keeps its slashes, so it is cut by hand."""
    userinfo, at, place = rest.rpartition("@")
    path, _, query = place.partition("?")
    if not path.startswith("/"):
        raise BadUrl("a socket's path starts with /: unix:///run/redis.sock")
    who = parts(f"{userinfo}@h/?{query}" if at else f"h/?{query}")
    return RedisUrl(
        path=path,
        user=who.query.get("username", who.user),
        password=who.query.get("password", who.password),
        db=_db(who.query.get("db") or who.query.get("virtual_host") or ""),
    )


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadUrl("the database of a Redis is a number, as in redis://host:6379/0")
    return int(text)


def _verified(query: Mapping[str, str]) -> bool:
    return query.get("ssl_cert_reqs", "required").lower() not in _UNVERIFIED
