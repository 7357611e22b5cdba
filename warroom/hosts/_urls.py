"""Takes a server's URL apart where people forgot to percent-encode the password. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, unquote_plus

_PLACE: Final = re.compile(
    r"(?P<host>\[[0-9a-fA-F:.%]+\]|[^@:/?#\[\]\s,]*)(?::(?P<port>\d{0,5}))?"
    r"(?:/(?P<path>[^@/?]*)/?)?"
    r"(?:\?(?P<query>(?:[^&=@]+(?:[=&].*)?)?))?",
    re.DOTALL,
)
_SEVERAL: Final = re.compile(r"(?:^|@)[^@/?,]*,[^@/?]*(?:[/?]|$)")


class BadUrl(ValueError):
    """Not the address of a server; the message holds no part of a password."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a URL says after its scheme, decoded. `port` is 0 where none is named; keys of `query`
    are in lower case."""

    user: str
    password: str = field(repr=False)
    host: str
    port: int
    path: str
    query: dict[str, str] = field(repr=False)


def parts(rest: str) -> Parts:
    """`rest`, a URL without its `scheme://`, taken apart. Raises BadUrl.

    Who and where part at the first `@` after which everything is well-formed, so a password may
    hold raw `@`, `:`, `#`, and also `/` and `?` where only one reading is possible.

    >>> one = parts("shop:p@ss#w@db:6432/orders?sslmode=require")
    >>> one.host, one.port, one.path, one.password
    ('db', 6432, 'orders', 'p@ss#w')
    """
    userinfo, place = _split(rest)
    user, _, password = userinfo.partition(":")
    pairs = [pair.partition("=") for pair in (place["query"] or "").split("&") if pair]
    return Parts(
        user=unquote(user),
        password=unquote(password),
        host=unquote((place["host"] or "").strip("[]")),
        port=port(place["port"] or ""),
        path=unquote(place["path"] or ""),
        query={unquote_plus(key).lower(): unquote(value) for key, _, value in pairs},
    )


def port(text: str) -> int:
    """A port from text; 0 for none. Raises BadUrl."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise BadUrl("the port is a number from 1 to 65535")
    return int(text)


def shown(host: str, port: int) -> str:
    """An endpoint for people.

    >>> shown("::1", 5432)
    '[::1]:5432'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(rest: str) -> tuple[str, re.Match[str]]:
    whole = _PLACE.fullmatch(rest)
    if whole:
        return "", whole
    start = rest.find("@")
    while start >= 0:
        place = _PLACE.fullmatch(rest, start + 1)
        if place:
            return rest[:start], place
        start = rest.find("@", start + 1)
    if _SEVERAL.search(rest):
        raise BadUrl("several hosts in one address: give each server a probe of its own")
    raise BadUrl("host and port cannot be told apart: percent-encode the password")
