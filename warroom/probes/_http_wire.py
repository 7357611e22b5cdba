"""The wire under an HTTP look: names, connections, TLS, each timed by itself.

A network backend for httpcore (the engine inside httpx) of our own, because only here the name's
lookup stands apart from the connect, the first bytes are seen before a parser refuses them, and a
certificate can be had from a handshake that failed. It also costs a fifth less CPU than anyio's.

NoAnswer             nothing that could be judged came back; the message is one plain line
└── BadCertificate   the handshake ended because of the certificate
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

import httpcore

from warroom.domain.clock import Clock
from warroom.domain.text import harmless_bytes
from warroom.hosts.base import Address, Host, TcpAddress, UnixAddress
from warroom.probes._http_names import NameFault, is_address, resolve

MASK: Final = "•••"
_BANNER: Final = 80
_SHORTEST_SECRET: Final = 6
_PATIENCE_S: Final = 1.0
"""Seconds given to an address when there is another one to try."""


class NoAnswer(Exception):
    """There was no HTTP answer. `word` is the fault in a word or two, for a narrow column."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


class BadCertificate(NoAnswer):
    """TLS failed at the certificate; `error` says which rule, by OpenSSL's code."""

    def __init__(self, error: ssl.SSLCertVerificationError) -> None:
        super().__init__("TLS", f"certificate refused: {error.verify_message}")
        self.error = error


class Stage(StrEnum):
    """What a look is waiting for."""

    NAME = "the name to be resolved (DNS)"
    CONNECT = "a connection"
    TLS = "the TLS handshake"
    FIRST_BYTE = "the first byte"
    BODY = "the rest of the answer"


class Wire(httpcore.AsyncNetworkBackend):
    """The connections of one look, and where its time went.

    `spent` is in seconds by stage, added up over redirects; `asked` is the host's name in the
    address and `address` where it was found, `peer` the same for people; `tried` are addresses
    that did not answer, with the reason; `certificate` is the peer's, in DER. `secrets` are values
    that are sent, and so must not be shown when they come back.
    """

    def __init__(self, host: Host, clock: Clock, secrets: Iterable[str] = ()) -> None:
        self._host, self._clock = host, clock
        parts = {part for secret in secrets for part in (secret, *secret.split())}
        self._secrets = sorted((p for p in parts if len(p) >= _SHORTEST_SECRET), key=len)[::-1]
        self.stage: Stage | None = None
        self._since = 0.0
        self.spent: dict[Stage, float] = {}
        self.address: Address = TcpAddress("", 0)
        self.asked = ""
        self.peer = ""
        self.tried: tuple[str, ...] = ()
        self.certificate: bytes | None = None
        self.tls = ""

    def enter(self, stage: Stage | None) -> None:
        """End the stage under way, if there is one, and begin `stage`."""
        now = self._clock.monotonic()
        if self.stage is not None:
            self.spent[self.stage] = self.spent.get(self.stage, 0.0) + now - self._since
        self.stage, self._since = stage, now

    def scrub(self, data: bytes) -> bytes:
        """`data` without the secrets that were sent: some services echo what they were asked."""
        for secret in self._secrets:
            data = data.replace(secret.encode(), MASK.encode())
        return data

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to `host` as the probe's host sees it. Raises NoAnswer, HostError."""
        self.enter(Stage.CONNECT)
        host = host.replace("%25", "%")  # the scope of an IPv6 address (RFC 6874)
        self.asked, self.certificate = host, None
        self.address = address = await self._host.reach(TcpAddress(host, port))
        if isinstance(address, UnixAddress):
            return await self._through(address.path, f"{host}:{port}")
        if not is_address(address.host):
            self.enter(Stage.NAME)
        try:
            addresses = await resolve(address.host, address.port)
        except NameFault as fault:
            raise NoAnswer("DNS", str(fault)) from fault
        self.enter(Stage.CONNECT)
        return await self._first_of(addresses)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _through(self, path: str, label: str) -> _Stream:
        self.peer = f"{label} via {self._host.name}"
        try:
            pair = await asyncio.open_unix_connection(path)
        except OSError as error:
            raise _unreachable(self.peer, error) from error
        return _Stream(self, *pair)

    async def _first_of(self, addresses: tuple[TcpAddress, ...]) -> _Stream:
        """The first address that answers; all but the last must do so within a second."""
        for address in addresses[:-1]:
            self.address, self.peer = address, written(address)
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    pair = await asyncio.open_connection(address.host, address.port)
            except TimeoutError:
                self.tried += (f"{self.peer}: no answer within {_PATIENCE_S:g} s",)
            except OSError as error:
                self.tried += (str(_unreachable(self.peer, error)),)
            else:
                return _Stream(self, *pair)
        last = addresses[-1]
        self.address, self.peer = last, written(last)
        try:
            return _Stream(self, *await asyncio.open_connection(last.host, last.port))
        except OSError as error:
            raise _unreachable(self.peer, error) from error


class _Stream(httpcore.AsyncNetworkStream):
    """One connection; closes at once, because nobody waits for a probe's goodbye."""

    def __init__(
        self, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._wire, self._reader, self._writer = wire, reader, writer
        self._heard = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            data = await self._reader.read(max_bytes)
        except (OSError, ssl.SSLError) as error:
            raise NoAnswer("cut", f"{self._wire.peer} {_cut(error)}") from error
        if not self._heard:
            self._heard = True
            self._wire.enter(Stage.BODY)
            self._must_be_http(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._heard and self._wire.stage is not Stage.FIRST_BYTE:
            self._wire.enter(Stage.FIRST_BYTE)
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:  # it may have answered before it hung up: httpcore reads on
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._writer.close()  # queues TLS's close_notify
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        wire = self._wire
        wire.enter(Stage.TLS)
        try:
            await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except ssl.SSLCertVerificationError as error:
            await self.aclose()
            raise BadCertificate(error) from error
        except (OSError, ssl.SSLError) as error:
            await self.aclose()
            raise NoAnswer("TLS", f"{wire.peer} {_tls_fault(error)}") from error
        except asyncio.CancelledError:
            await self.aclose()
            raise
        secured: ssl.SSLObject = self._writer.get_extra_info("ssl_object")
        wire.certificate = secured.getpeercert(binary_form=True)
        wire.tls = secured.version() or ""
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._writer.get_extra_info(info) if info == "ssl_object" else None

    def _must_be_http(self, head: bytes) -> None:
        peer = self._wire.peer
        if not head:
            raise NoAnswer("closed", f"{peer} closed the connection without an answer")
        if head.startswith((b"\x15\x03", b"\x16\x03")):
            raise NoAnswer("not HTTP", f"{peer} speaks TLS, not plain HTTP — is it https://?")
        if head[:5] != b"HTTP/"[: len(head)]:
            first = self._wire.scrub(head).splitlines()[0]
            shown = harmless_bytes(first[:_BANNER]) + ("…" if len(first) > _BANNER else "")
            raise NoAnswer("not HTTP", f"{peer} does not speak HTTP: answered '{shown}'")


def written(address: TcpAddress) -> str:
    """`127.0.0.1:80`, `[::1]:80`."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _unreachable(peer: str, error: OSError) -> NoAnswer:
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer("refused", f"connection refused by {peer} — is the service running?")
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return NoAnswer("no route", f"no route to {peer}")
    if error.errno == errno.ETIMEDOUT:
        return NoAnswer("timeout", f"timed out waiting for a connection to {peer}")
    reason = error.strerror or str(error)
    return NoAnswer("no connection", f"no connection to {peer}: {reason}")


def _cut(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"broke TLS off: {error.reason or error}"
    return "reset the connection before the answer was complete"


def _tls_fault(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return "closed the connection during the TLS handshake — is it http://?"
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
        return "does not speak TLS — is it http://?"
    if "PROTOCOL_VERSION" in reason or reason == "UNSUPPORTED_PROTOCOL":
        return "speaks only a TLS version that is too old (before 1.2)"
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return "refused the TLS handshake: it may want a client certificate"
    return f"failed the TLS handshake: {reason.replace('_', ' ').lower() or 'no reason given'}"
