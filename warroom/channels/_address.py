"""Addresses and headers of channels: which may be used, and how they are shown."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from warroom.channels.base import ChannelFault
from warroom.config.values import Secret
from warroom.domain.text import harmless, shorten
from warroom.hosts.base import Host
from warroom.hosts.secrets import SecretError, reveal

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, section 5.6.2
_SECRET_HEADER: Final = re.compile(r"auth|token|secret|key|cookie|password|signature", re.I)
_OWN: Final = frozenset({"content-length", "transfer-encoding", "host", "connection"})


def check_url(url: Secret, *, secret: bool) -> None:
    """Raises ValueError (`url: message`) for an address that may not stand in a config.

    `secret`: whoever knows the address may post, as with the usual webhooks; then the config may
    only name where it is, unless it leads to this machine.
    """
    if not url.is_literal:
        return
    try:
        parts = checked(url.reference)
    except ChannelFault as fault:
        raise ValueError(f"url: {fault}") from None
    if secret and not is_loopback(parts.hostname or ""):
        raise ValueError(
            "url: whoever knows this address can post, so it does not belong in a config; "
            'name where it is: "env:NAME", "file:PATH" (mode 0600) or "command:ARGV"'
        )


def check_headers(headers: Mapping[str, Secret]) -> None:
    """Raises ValueError (`headers: message`) for headers that may not stand in a config."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OWN:
            raise ValueError(f'headers: "{shorten(name, 40)}" is not the name of a header to set')
        if value.is_literal and _SECRET_HEADER.search(name):
            raise ValueError(
                f"headers: {name} holds a secret, which does not belong in a config; "
                'name where it is, as in "env:NAME" or "file:PATH"'
            )


def checked(url: str) -> SplitResult:
    """The parts of an address that may be posted to: https, or http to this machine.

    Raises ChannelFault; the message holds nothing of the address.
    """
    wrong = "not an address such as https://hooks.example/path"
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 4096:
        raise ChannelFault("an address is plain ASCII without spaces")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise ChannelFault(wrong) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ChannelFault(wrong)
    if parts.scheme == "http" and not is_loopback(host):
        raise ChannelFault("only https: what is told must not be read or changed on the way")
    if parts.username is not None:
        raise ChannelFault("no user in the address: use headers")
    return parts


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its own name or number.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("hooks.example")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def place_of(parts: SplitResult) -> str:
    """The host of an address, which is all of it that may be shown."""
    host = harmless(parts.hostname or "")
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port else host


async def revealed(secret: Secret, host: Host) -> str:
    """The value that `secret` stands for. Raises ChannelFault."""
    try:
        return await reveal(secret, host)
    except SecretError as error:
        raise ChannelFault(str(error)) from None


async def headers_of(headers: Mapping[str, Secret], host: Host) -> dict[str, str]:
    """Headers with their values. Raises ChannelFault; it names the header, not its value."""
    values = {}
    for name, secret in headers.items():
        value = (await revealed(secret, host)).strip()
        if not value.isascii() or not value.isprintable():
            raise ChannelFault(f"the header {name} holds something that HTTP cannot carry")
        values[name] = value
    return values
