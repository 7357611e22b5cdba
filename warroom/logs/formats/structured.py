"""Lines that are JSON objects, and logfmt.

Sources: nginx, `log_format … escape=json` with its variables as keys; Caddy, Logging ("handled
request"); Traefik, Access Logs, JSON; PostgreSQL 15, jsonlog; Envoy and Istio, JSON access logs;
Docker's json-file driver; systemd, Journal JSON Format; logfmt as Heroku's router and Go's
libraries write it.

A client is believed only where the key can mean nothing else, and only in a line that has a
status, too: the `remote_addr` of a program's own message may be whom it called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from warroom.logs.formats.base import LONGEST, Fields, Format, Roles

Key = str | tuple[str, ...]
"""A key, or the way to one in nested objects."""
_MOST_FIELDS: Final = 200
_DEEPEST: Final = 4


@dataclass(frozen=True, slots=True)
class JsonObject(Format):
    """An object a line. `keys` has for each role the keys that may hold it, the best first; a line
    fits that has all of `needs` and, where it has a status, a possible one."""

    keys: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def roles(self, line: bytes) -> Roles | None:
        return self._found(line, self.keys)

    def _found(self, line: bytes, wanted: Iterable[str]) -> Roles | None:
        record = parsed(line)
        if record is None:
            return None
        found: dict[str, bytes] = {}
        for role in wanted:
            part = _first(record, self.keys[role])
            if part is not None and not (role == "client" and part.isdigit()):
                found[role] = part
        if not all(role in found for role in self.needs):
            return None
        if "status" in self.needs and not _is_status(found["status"]):
            return None
        return found

    def fields(self, line: bytes) -> Fields:
        record = parsed(line)
        return () if record is None else tuple(flat(record))

    def fits(self, line: bytes) -> bool:
        return self._found(line, self.needs) is not None

    def may_fit(self, line: bytes) -> bool:
        # not super(): a slotted dataclass is made anew, and the name no longer fits
        return line[:1] in (b"{", b" ") and Format.may_fit(self, line)


@lru_cache(maxsize=1)
def parsed(line: bytes) -> Mapping[str, Any] | None:
    """The object that `line` is; None when it is none. The last one is remembered, for one line is
    asked for in several ways."""
    if len(line) > LONGEST or line.lstrip()[:1] != b"{":
        return None
    try:
        # what a client sent need not be UTF-8, and nginx passes it on
        record = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def flat(record: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Every plain value by the way to it, `request.headers.Host`; at most 200."""
    for count, found in enumerate(_leaves(record, "", 0)):
        if count >= _MOST_FIELDS:
            return
        yield found


def _leaves(value: object, way: str, depth: int) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            yield from _leaves(inner, f"{way}.{key}" if way else str(key), depth + 1)
    else:
        part = _part(value)
        yield way, part if part is not None else json.dumps(value).encode()


def _first(record: Mapping[str, Any], keys: tuple[Key, ...]) -> bytes | None:
    for key in keys:
        value: object = record
        for step in (key,) if isinstance(key, str) else key:
            value = value.get(step) if isinstance(value, dict) else None
        part = _part(value)
        if part is not None:
            return part
    return None


def _part(value: object) -> bytes | None:
    """A plain value as it would be written; a header is a list of them."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"%d" % value if abs(value) < 10**30 else None
    if isinstance(value, float):
        return repr(value).encode()
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return ", ".join(value).encode("utf-8", "replace")
    return None


def _is_status(part: bytes) -> bool:
    return len(part) == 3 and part.isdigit() and b"100" <= part <= b"599"


_AGENTS: Final[tuple[Key, ...]] = ("http_user_agent", "user_agent", "agent", "userAgent")
CADDY: Final = JsonObject(
    name="caddy",
    title="Caddy, JSON",
    asks=True,
    rank=4,
    marks=(b'"request"', b'"status"'),
    needs=("client", "status"),
    keys={
        "client": (("request", "client_ip"), ("request", "remote_ip"), ("request", "remote_addr")),
        "forwarded": (("request", "headers", "X-Forwarded-For"),),
        "time": ("ts",),
        "method": (("request", "method"),),
        "path": (("request", "uri"),),
        "status": ("status",),
        "size": ("size",),
        "agent": (("request", "headers", "User-Agent"),),
        "host": (("request", "host"),),
        "user": ("user_id",),
        "level": ("level",),
    },
)
TRAEFIK_JSON: Final = JsonObject(
    name="traefik-json",
    title="Traefik, JSON",
    asks=True,
    rank=4,
    marks=(b'"DownstreamStatus"', b'"Client'),
    needs=("client", "status"),
    keys={
        "client": ("ClientHost", "ClientAddr"),
        "forwarded": ("request_X-Forwarded-For",),
        "time": ("StartUTC", "StartLocal", "time"),
        "method": ("RequestMethod",),
        "path": ("RequestPath",),
        "status": ("DownstreamStatus",),
        "size": ("DownstreamContentSize",),
        "agent": ("request_User-Agent",),
        "host": ("RequestHost", "RequestAddr"),
        "user": ("ClientUsername",),
        "level": ("level",),
    },
)
ENVOY_JSON: Final = JsonObject(
    name="envoy-json",
    title="Envoy and Istio, JSON",
    asks=True,
    rank=4,
    marks=(b'"response_code"',),
    needs=("status", "method"),
    keys={
        "client": ("downstream_remote_address", "downstream_direct_remote_address"),
        "forwarded": ("x_forwarded_for",),
        "time": ("start_time",),
        "method": ("method",),
        "path": ("path", "x-envoy-origin-path"),
        "status": ("response_code",),
        "size": ("bytes_sent",),
        "agent": ("user_agent",),
        "host": ("authority",),
    },
)
NGINX_JSON: Final = JsonObject(
    name="nginx-json",
    title="nginx, JSON, or the like",
    asks=True,
    rank=3,
    marks=(b'"stat',),
    needs=("client", "status"),
    keys={
        "client": ("remote_addr", "client_ip", "remote_ip", "clientip", "client"),
        "forwarded": ("http_x_forwarded_for", "x_forwarded_for", "x-forwarded-for"),
        "time": ("time_iso8601", "time_local", "msec", "@timestamp", "timestamp", "ts", "time"),
        "request": ("request",),
        "method": ("request_method", "method"),
        "path": ("request_uri", "uri", "path", "url"),
        "status": ("status", "status_code"),
        "size": ("body_bytes_sent", "bytes_sent", "size", "bytes"),
        "agent": _AGENTS,
        "host": ("http_host", "host", "vhost", "server_name"),
        "user": ("remote_user",),
        "level": ("level",),
    },
)
DOCKER: Final = JsonObject(
    name="docker-json",
    title="Docker's json-file",
    wraps=True,
    rank=5,
    marks=(b'"log":', b'"time":'),
    needs=("message", "time"),
    keys={"message": ("log",), "time": ("time",)},
)
JSON: Final = JsonObject(
    name="json",
    title="JSON",
    rank=0,
    keys={
        "time": ("time", "timestamp", "@timestamp", "ts", "datetime", "asctime"),
        "level": ("level", "severity", "log.level", ("log", "level"), "levelname", "lvl"),
        "message": ("msg", "message", "event"),
        "host": ("host", "hostname"),
    },
)

_PAIR: Final = re.compile(rb'([A-Za-z_@][^\s="]*+)=(?:"((?:[^"\\]|\\.)*+)"|([^\s"]*+))(?:\s++|\Z)')
_LEAST_PAIRS: Final = 3


@dataclass(frozen=True, slots=True)
class Logfmt(Format):
    """`key=value key="a value"`, nothing else, three at the least."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def roles(self, line: bytes) -> Roles | None:
        pairs = dict(self.fields(line))
        if len(pairs) < _LEAST_PAIRS:
            return None
        found = {
            role: pairs[key]
            for role, keys in self.keys.items()
            for key in reversed(keys)
            if key in pairs
        }
        if not all(role in found for role in self.needs):
            return None
        if "status" in self.needs and not _is_status(found["status"]):
            return None
        return found

    def fields(self, line: bytes) -> Fields:
        if len(line) > LONGEST:
            return ()
        pairs: list[tuple[str, bytes]] = []
        position, line = 0, line.strip()
        while position < len(line):
            found = _PAIR.match(line, position)
            if found is None:
                return ()
            key, quoted, plain = found.groups()
            pairs.append((key.decode("utf-8", "replace"), plain if quoted is None else quoted))
            position = found.end()
        return tuple(pairs)


_PAIRS: Final = {
    "time": ("time", "ts", "timestamp", "t"),
    "level": ("level", "lvl", "severity"),
    "message": ("msg", "message"),
    "host": ("host",),
}
LOGFMT: Final = Logfmt(name="logfmt", title="logfmt", rank=0, marks=(b"=",), keys=_PAIRS)
LOGFMT_ACCESS: Final = Logfmt(
    name="logfmt-access",
    title="logfmt, of requests",
    asks=True,
    rank=2,
    marks=(b"status=", b"method="),
    needs=("status", "method"),
    keys={
        **_PAIRS,
        "client": ("remote_addr", "client_ip", "remote_ip", "client"),
        "forwarded": ("fwd", "x_forwarded_for"),
        "method": ("method",),
        "path": ("path", "uri", "url"),
        "status": ("status",),
        "size": ("bytes", "size"),
        "agent": ("user_agent", "agent"),
    },
)

FORMATS: Final[tuple[Format, ...]] = (
    CADDY, TRAEFIK_JSON, ENVOY_JSON, NGINX_JSON, DOCKER, JSON, LOGFMT, LOGFMT_ACCESS,
)  # fmt: skip
