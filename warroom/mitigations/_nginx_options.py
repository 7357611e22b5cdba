"""What the config may say of the nginx kinds, checked as it is read. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from warroom.config.values import Seconds
from warroom.mitigations._addresses import Never, NotAnAddress, canonical

_PATH: Final = re.compile(r"/[A-Za-z0-9._/-]*[A-Za-z0-9_-]")
_RATE: Final = re.compile(r"([1-9][0-9]{0,5})r/([sm])", re.ASCII)
_ZONE: Final = re.compile(r"([1-9][0-9]{0,3})([km])", re.ASCII)
_URL_PATH: Final = re.compile(r"/[A-Za-z0-9._~/-]*")
_HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_LEAST_ZONE_K: Final = 64
_HOUR: Final = Seconds(3600.0)


def _doc(text: str) -> dict[str, str]:
    return {"doc": text}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadOptions:
    """Which nginx: `nginx` is how it is called, with `sudo -n` before it where that is needed.

    `verify_url` is asked before and after: a site that answered and does not any more undoes the
    change. With `verify_header` (what `real_ip_header` says in nginx's config) the request names
    the blocked address as its client, and the answer must be 403.
    """

    nginx: tuple[str, ...] = ("nginx",)
    verify_url: str = field(default="", metadata=_doc("asked before and after, from the host"))
    verify_header: str = field(default="", metadata=_doc("the header nginx takes clients from"))

    def __post_init__(self) -> None:
        if not self.nginx or not all(word.isprintable() and word for word in self.nginx):
            raise ValueError('nginx: the words of its command, such as ["sudo", "-n", "nginx"]')
        try:
            parts = urlsplit(self.verify_url)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
            is_url = is_url and parts.port != 0
        except ValueError:
            is_url = False
        if self.verify_url and (not is_url or not self.verify_url.isprintable()):
            raise ValueError('verify_url: write it as "http://127.0.0.1/health"')
        if self.verify_url and (parts.username or parts.password):
            raise ValueError("verify_url: a password does not belong in a config")
        if self.verify_header and not _HEADER_NAME.fullmatch(self.verify_header):
            raise ValueError('verify_header: the name of a header, such as "X-Real-IP"')
        if self.verify_header and not self.verify_url:
            raise ValueError("verify_header: wants a verify_url, too")

    @property
    def plain(self) -> dict[str, Any]:
        """As a config would say it, for what takes this back later."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if value not in ("", ())
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlimitOptions(ReloadOptions):
    """`include` is the file that warroom owns; nginx's own config must include it."""

    include: str = field(metadata=_doc('"/etc/nginx/conf.d/warroom.conf": nginx includes it'))

    def __post_init__(self) -> None:
        ReloadOptions.__post_init__(self)
        is_plain = _PATH.fullmatch(self.include) is not None
        if not is_plain or str(PurePosixPath(self.include)) != self.include or ".." in self.include:
            raise ValueError('include: a plain absolute path: "/etc/nginx/conf.d/warroom.conf"')


@dataclass(frozen=True, slots=True, kw_only=True)
class UnblockOptions(UnlimitOptions):
    """`address` is an address or range; empty: the selected row's."""

    address: str = ""

    def __post_init__(self) -> None:
        UnlimitOptions.__post_init__(self)
        if self.address:
            _checked("address", self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOptions(UnblockOptions):
    """`ttl` is how long it stands (0: until it is lifted); `never` are addresses and ranges that
    may not be blocked: load balancers, CDN, office."""

    ttl: Seconds = _HOUR
    never: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        UnblockOptions.__post_init__(self)
        for text in self.never:
            _checked("never", text)

    @property
    def guarded(self) -> Sequence[Never]:
        return [
            Never(canonical(text), "which the config says never to block") for text in self.never
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions(UnlimitOptions):
    """At most `rate` of one client, and `burst` more at once, for paths that begin with `path`;
    `zone` is the memory for it; `ttl` as for a block."""

    rate: str = "10r/s"
    burst: int = 20
    zone: str = "10m"
    path: str = "/"
    ttl: Seconds = _HOUR

    def __post_init__(self) -> None:
        UnlimitOptions.__post_init__(self)
        if not _RATE.fullmatch(self.rate):
            raise ValueError('rate: write it as "10r/s" or "30r/m"')
        if not 0 <= self.burst <= 100_000:
            raise ValueError("burst: 0 to 100000 requests")
        zone = _ZONE.fullmatch(self.zone)
        if zone is None or int(zone[1]) * (1024 if zone[2] == "m" else 1) < _LEAST_ZONE_K:
            raise ValueError(f'zone: memory from "{_LEAST_ZONE_K}k" on, such as "10m"')
        if not _URL_PATH.fullmatch(self.path):
            raise ValueError('path: how paths begin, such as "/" or "/login"')

    @property
    def pace(self) -> tuple[int, str]:
        """Requests, and "s" or "m"."""
        match = _RATE.fullmatch(self.rate)
        assert match is not None
        return int(match[1]), match[2]


def without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


def _checked(key: str, text: str) -> None:
    try:
        canonical(text)
    except NotAnAddress as error:
        raise ValueError(f"{key}: {error}") from None
