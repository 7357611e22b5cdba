"""One request over HTTP that is never made twice where the first may have counted.

Made again only when the server surely took nothing: no connection (refused, unknown name, no
answer to the connection), 429, and 503 with a Retry-After (RFC 9110, section 10.2.3), whose
seconds or date are kept to. A connection that was cut, or silence after the request had begun,
leaves it unknown. Nothing of an address is ever told but its host, and neither is a header.
The one file of the channels that knows httpx.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from warroom import __version__
from warroom.channels._address import checked, is_loopback, place_of
from warroom.channels.base import Call, ChannelContext, ChannelFault, Progress, Watcher
from warroom.domain.text import harmless, harmless_bytes, shorten

BODY_LIMIT: Final = 256 * 1024
"""Bytes of an answer that are read."""
BODY_S: Final = 5.0
"""Seconds that it may take to come, after the answer itself has begun."""
HOPS: Final = 3
_USUAL: Final = {"User-Agent": f"warroom/{__version__}", "Accept-Encoding": "identity"}
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 8.0
_UNSURE: Final = frozenset({500, 502, 504})
"""Answers after which it may have been taken: by what stands behind, before something broke."""

for _name in ("httpx", "httpcore"):  # they log whole addresses, and a webhook's is a secret
    logging.getLogger(_name).setLevel(logging.WARNING)


class NotTaken(Exception):
    """The server surely took nothing; one plain line says why."""


class Unsure(Exception):
    """The server may have taken it or not; one plain line says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the 2xx kind. `whole` is false when its body was cut or came to no end."""

    status: int
    body: bytes = field(default=b"", repr=False)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Again:
    """To be made again: in `wait` seconds when the server said so, else when it suits."""

    why: str
    wait: float | None = None


async def post(call: Call, context: ChannelContext, watch: Watcher) -> Reply:
    """The answer to `call`, made as often as it safely can be within `context.limit` seconds.

    Raises NotTaken, Unsure, ChannelFault. A cancellation between attempts means nothing left.
    """
    parts = checked(call.url)
    place = place_of(parts)
    clock = asyncio.get_running_loop().time
    end = clock() + context.limit
    wait = _FIRST_WAIT_S
    # without a proxy on the way to this machine itself; elsewhere the machine's settings hold
    outside = not is_loopback(parts.hostname or "")
    # not in the event loop: to read whom this machine trusts takes a tenth of a second
    client = await asyncio.to_thread(httpx.AsyncClient, trust_env=outside, follow_redirects=False)
    async with client:
        while True:
            watch(Progress(f"sending to {place}", leaving=True))
            reply = await _attempt(client, call, context, place, end - clock())
            if isinstance(reply, Reply):
                return reply
            pause = wait if reply.wait is None else max(reply.wait, 0.1)
            if clock() + pause >= end:
                said = "" if reply.wait is None else f", Retry-After {reply.wait:.0f} s"
                raise NotTaken(f"{reply.why}{said}; not within {context.limit:.0f} s")
            await _waited(pause, reply, watch)
            wait = min(wait * 2, _LONGEST_WAIT_S)


async def _waited(pause: float, again: _Again, watch: Watcher) -> None:
    """Wait, and count the seconds for whoever watches."""
    clock = asyncio.get_running_loop().time
    end = clock() + pause
    while (left := end - clock()) > 0:
        named = "again in" if again.wait is None else "Retry-After"
        watch(Progress(f"{again.why}: {named} {left:.0f} s", leaving=False))
        await asyncio.sleep(min(1.0, left))


async def _attempt(
    client: httpx.AsyncClient, call: Call, context: ChannelContext, place: str, left: float
) -> Reply | _Again:
    limit = min(context.attempt, left)
    try:
        return await _exchange(client, call, context, place, limit)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        if _untrusted(error):
            raise NotTaken(f"{place}: its certificate is not valid here: {_why(error)}") from None
        return _Again(f"{place}: no connection: {_why(error)}")
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise ChannelFault("the request is not something that HTTP can carry") from None
    except TimeoutError:
        raise Unsure(f"{place}: no answer within {limit:.0f} s; it may have arrived") from None
    except httpx.TransportError:
        raise Unsure(f"{place}: the connection was cut; it may have arrived") from None


async def _exchange(
    client: httpx.AsyncClient, call: Call, context: ChannelContext, place: str, limit: float
) -> Reply | _Again:
    """One attempt, over the redirects that it may follow: same place, same method and body."""
    url = httpx.URL(call.url)
    for _ in range(HOPS + 1):
        request = client.build_request(
            call.method,
            url,
            content=call.content,
            headers={**_USUAL, **call.headers},
            timeout=httpx.Timeout(None, connect=limit / 2),
        )
        async with asyncio.timeout(limit):
            answer = await client.send(request, stream=True)
        try:
            if answer.status_code not in (307, 308):
                return await _judged(answer, context, place)
            url = _target(url, answer.headers, place)
        finally:
            await answer.aclose()
    raise NotTaken(f"{place}: it redirects in a circle")


def _target(url: httpx.URL, headers: Mapping[str, str], place: str) -> httpx.URL:
    """Where a redirect leads. Raises NotTaken when that is elsewhere."""
    try:
        target = url.join(headers.get("location", ""))
    except (httpx.InvalidURL, ValueError):
        raise NotTaken(f"{place}: it redirects to no address") from None
    if (target.scheme, target.raw_host, target.port) != (url.scheme, url.raw_host, url.port):
        raise NotTaken(f"{place}: it redirects elsewhere, which is not followed")
    return target


async def _judged(answer: httpx.Response, context: ChannelContext, place: str) -> Reply | _Again:
    status = answer.status_code
    if 200 <= status < 300:
        body, whole = await _body(answer)
        return Reply(status, body, whole)
    asked = _retry_after(answer.headers.get("retry-after", ""), context.clock.now())
    if status == 429 or (status == 503 and asked is not None):
        return _Again(f"{place}: HTTP {status}", asked)
    said = f"{place}: HTTP {status}{await _words(answer)}"
    if status in _UNSURE:
        raise Unsure(f"{said}; it may have arrived")
    if 300 <= status < 400:
        raise NotTaken(f"{said}: it redirects, which is not followed; put the final address there")
    raise NotTaken(said)


async def _body(answer: httpx.Response, limit: int = BODY_LIMIT) -> tuple[bytes, bool]:
    """The first bytes as they came over the line: nothing is unpacked, so nothing can swell."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > limit:
                    return bytes(body[:limit]), False
    except (httpx.TransportError, TimeoutError):
        return bytes(body), False
    return bytes(body), True


async def _words(answer: httpx.Response) -> str:
    """What the server says about its refusal, in a few words."""
    body, _ = await _body(answer, 2048)
    text = " ".join(harmless_bytes(body, limit=300, lines=True).split())
    return f": {shorten(text, 160)}" if text else ""


def _retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait, from seconds or a date; None when the header says neither."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - now).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _untrusted(error: Exception) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _why(error: Exception) -> str:
    """The reason that the system gave, rather than what the layers above it call that."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no answer"
    causes = [cause for cause in _causes(error) if isinstance(cause, OSError) and cause.errno]
    said = _in_words(causes[-1]).lower() if causes else str(error)
    return shorten(harmless(said) or type(error).__name__, 160)


def _in_words(error: OSError) -> str:
    """What the system calls it; asyncio puts the address in the place of that."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__
