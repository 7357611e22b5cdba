"""One request, made once: what is known of it when no answer comes.

The one file of the mitigations that knows httpx. Whether anything left is not guessed from the
error: httpcore tells when it begins to send (its trace extension).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from warroom import __version__
from warroom.domain.text import harmless, harmless_bytes, shorten
from warroom.hosts.base import Host, TcpAddress, UnixAddress
from warroom.mitigations._http_options import is_loopback, parts_of

BODY_LIMIT: Final = 64 * 1024
_CONNECT_S: Final = 10.0
_SHORTEST_SECRET: Final = 4
_USUAL: Final = {"User-Agent": f"warroom/{__version__}", "Accept-Encoding": "identity"}

for _name in ("httpx", "httpcore"):  # they log whole addresses, which may hold secrets
    logging.getLogger(_name).setLevel(logging.WARNING)


class NotSent(Exception):
    """Nothing left this machine; one plain line says why."""


class NoReply(Exception):
    """It was sent, or a part of it, and no answer came; one plain line says why."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it is sent. `secrets` must not be shown when they come back."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)
    ca: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `text` is the beginning of its body, harmless and without secrets."""

    status: int
    text: str = field(default="", repr=False)
    location: str = ""


async def ask(call: Call, host: Host, limit: float) -> Reply:
    """The answer to `call` within `limit` seconds, as `host` reaches it. Never made again, no
    redirect followed. Raises NotSent, NoReply, and HostError when the host has no way there."""
    parts = parts_of(call.url)
    name = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await host.reach(TcpAddress(name, port))
    through = address.path if isinstance(address, UnixAddress) else None
    trace = _Trace()
    # a proxy of this machine is not on the way to itself, nor to what another host reaches
    outside = through is None and not is_loopback(name)
    client = await asyncio.to_thread(_client, through, call.ca, outside, limit)
    async with client:
        try:
            request = client.build_request(
                call.method,
                call.url,
                headers={**_USUAL, **call.headers},
                content=call.content,
                extensions={"trace": trace},
            )
            async with asyncio.timeout(limit):
                answer = await client.send(request, stream=True)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise NotSent("the request is not something that HTTP can carry") from None
        except TimeoutError:
            raise trace.fault(f"no answer within {limit:g} s") from None
        except httpx.TransportError as error:
            raise trace.fault(_why(error)) from None
        return await _read(answer, call, limit)


def _client(through: str | None, ca: str, outside: bool, limit: float) -> httpx.AsyncClient:
    """Not made in the event loop: to read whom this machine trusts takes a tenth of a second."""
    trusted = httpx.AsyncHTTPTransport(uds=through, verify=_trusted(ca)) if through or ca else None
    return httpx.AsyncClient(
        transport=trusted,
        trust_env=outside,
        follow_redirects=False,
        timeout=httpx.Timeout(None, connect=min(limit / 2, _CONNECT_S)),
    )


class _Trace:
    """Learns whether anything was sent."""

    def __init__(self) -> None:
        self.sent = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        self.sent = self.sent or event.endswith("send_request_headers.started")

    def fault(self, why: str) -> NotSent | NoReply:
        return NoReply(f"{why}, after the request was sent") if self.sent else NotSent(why)


async def _read(answer: httpx.Response, call: Call, limit: float) -> Reply:
    """The status is the answer; a body that does not come to its end changes nothing."""
    body = bytearray()
    try:
        async with asyncio.timeout(min(limit, 5.0)):
            async for chunk in answer.aiter_raw():
                body += chunk[: BODY_LIMIT - len(body)]
                if len(body) >= BODY_LIMIT:
                    break
    except (httpx.TransportError, TimeoutError):
        body += b" (cut off)"
    finally:
        await answer.aclose()
    data = bytes(body)
    location = answer.headers.get("location", "")
    for secret in call.secrets:
        if len(secret) >= _SHORTEST_SECRET:
            data = data.replace(secret.encode(), "…".encode())
            location = location.replace(secret, "…")
    text = harmless_bytes(data, limit=BODY_LIMIT + 16, lines=True)
    return Reply(answer.status_code, text, shorten(harmless(location.partition("?")[0]), 200))


def _trusted(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or "no certificates in it"
        raise NotSent(f"ca: {harmless(ca)} cannot be used: {why}") from None


def _why(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {harmless(cause.verify_message)}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused: nothing listens there"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return "no answer to the connection"
    if isinstance(error, (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
        return "the connection was cut"
    return shorten(harmless(str(error)) or type(error).__name__, 160)
