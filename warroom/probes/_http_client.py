"""One question over HTTP and its answer: redirects, a capped body, and nothing hidden.

The one place in the probes that knows httpx (its URLs and requests) and httpcore (its engine).
Every question has a fresh connection, so that a look sees the name, the connection and the
certificate as a new visitor would. The machine's proxy settings are not used: a look is at the
service, not at a proxy.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import httpcore
import httpx

from warroom import __version__
from warroom.domain.text import harmless, shorten
from warroom.probes._http_wire import MASK, NoAnswer, Wire
from warroom.probes._http_words import is_secret

BODY_LIMIT: Final = 1024 * 1024
HOPS: Final = 5
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))

Astray = Literal["", "host", "downgrade", "nowhere", "circle"]
"""Where a redirect leads that is not followed: off the host, from https to http, to no address
that can be asked, or on and on."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `accepts` are statuses that end the look even if they redirect."""

    url: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    follow: bool
    context: ssl.SSLContext | None
    accepts: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Texts are harmless, `body` is raw (but decoded) and at most 1 MiB.

    `size` is the body's length in bytes as announced, else as received; `cut` says that more than
    1 MiB came; `broken` says why a body ended early, if it did; `hops` are the redirects taken.
    """

    url: str
    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    size: int = 0
    cut: bool = False
    broken: str = ""
    hops: tuple[str, ...] = ()
    location: str = ""
    astray: Astray = ""

    def header(self, name: str) -> str:
        """The first header of that name (lower case), or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class BadUrl(ValueError):
    """Not an address that can be asked; the message is one plain line."""


async def ask(question: Question, wire: Wire, *, limit: float, told: float) -> Answer:
    """The answer to `question` within `limit` seconds; a message calls them `told`.

    Raises NoAnswer, HostError, BadUrl.
    """
    deadline = asyncio.get_running_loop().time() + limit
    try:
        url = httpx.URL(question.url)
    except httpx.InvalidURL as error:
        raise BadUrl(f"url: {harmless(str(error))}") from None
    hops: tuple[str, ...] = ()
    while True:
        answer = await _exchange(question, url, wire, deadline, told)
        target = _target(url, answer)
        if answer.status not in _REDIRECTS or question.accepts(answer.status):
            return replace(answer, hops=hops)
        astray = _astray(url, target, hops)
        shown = shown_url(target) if target else _address(answer.location)
        answer = replace(answer, hops=hops, location=shown, astray=astray)
        if target is None or astray or not question.follow:
            return answer
        hops += (f"{answer.status} to {shown}",)
        if not _is_home(url, target):
            question = replace(question, headers={})
        url = target


async def _exchange(
    question: Question, url: httpx.URL, wire: Wire, deadline: float, told: float
) -> Answer:
    connection = httpcore.AsyncHTTPConnection(
        httpcore.Origin(url.raw_scheme, url.raw_host, url.port or _port(url)),
        ssl_context=question.context,
        network_backend=wire,
    )
    try:
        async with asyncio.timeout_at(deadline):
            response = await connection.handle_async_request(_request(question, url))
        fields = response.headers
        headers = tuple((_text(name), _text(wire.scrub(value))) for name, value in fields)
        answer = Answer(shown_url(url), response.status, headers)
        if response.status in _REDIRECTS:
            return replace(answer, location=answer.header("location"))
        answer = await _with_body(answer, response, deadline, told)
        return replace(answer, body=wire.scrub(answer.body))
    except TimeoutError:
        raise NoAnswer("timeout", f"timed out after {told:g} s waiting for {_wait(wire)}") from None
    except httpcore.RemoteProtocolError as error:
        what = _text(wire.scrub(str(error).encode("utf-8", "replace")))
        raise NoAnswer("not HTTP", f"{wire.peer} answers broken HTTP: {what}") from None
    except httpcore.LocalProtocolError:  # its text quotes headers, which may be secrets
        raise BadUrl("headers: not something that HTTP can carry") from None
    finally:
        wire.enter(None)
        await connection.aclose()


def _request(question: Question, url: httpx.URL) -> httpcore.Request:
    defaults = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": f"warroom/{__version__}",
    }
    headers = httpx.Headers(defaults)
    headers.update(question.headers)
    request = httpx.Request(question.method, url, headers=headers)
    where = httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    return httpcore.Request(request.method.encode(), where, headers=request.headers.raw)


async def _with_body(
    answer: Answer, response: httpcore.Response, deadline: float, told: float
) -> Answer:
    body, broken, cut = bytearray(), "", False
    assert isinstance(response.stream, AsyncIterable)
    try:
        async with asyncio.timeout_at(deadline):
            async for chunk in response.stream:
                body += chunk
                if len(body) > BODY_LIMIT:
                    cut = True
                    break
    except TimeoutError:
        broken = f"its body was not complete after {told:g} s"
    except (httpcore.RemoteProtocolError, NoAnswer):
        broken = f"its body was cut off after {len(body):,} bytes"
    announced = answer.header("content-length")
    known = announced.isascii() and announced.isdigit() and len(announced) < 16
    size = int(announced) if known and not broken else len(body)
    plain, decoding = _decoded(bytes(body), answer.header("content-encoding"))
    return replace(
        answer,
        body=plain[:BODY_LIMIT],
        size=size,
        cut=cut or len(plain) > BODY_LIMIT,
        broken=broken or decoding,
    )


def _decoded(body: bytes, encoding: str) -> tuple[bytes, str]:
    """The body without its compression, never more than a little over 1 MiB of it."""
    encoding = encoding.strip().lower()
    if not body or encoding in ("", "identity"):
        return body, ""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return body, f"its body is {shorten(encoding, 20)}-encoded, though plain was asked for"
    try:
        return zlib.decompressobj(47).decompress(body, BODY_LIMIT + 1), ""
    except zlib.error:
        return body, f"its body says it is {encoding} and is not"


def _target(url: httpx.URL, answer: Answer) -> httpx.URL | None:
    """The address that a redirect names, when it is one that can be asked."""
    if not answer.location:
        return None
    try:
        target = url.join(answer.location)
    except (httpx.InvalidURL, ValueError):
        return None
    asks = target.scheme in ("http", "https") and target.raw_host and not target.userinfo
    return target.copy_with(fragment=None) if asks else None


def _astray(url: httpx.URL, target: httpx.URL | None, hops: tuple[str, ...]) -> Astray:
    if target is None:
        return "nowhere"
    if target.raw_host != url.raw_host:
        return "host"
    if url.scheme == "https" and target.scheme == "http":
        return "downgrade"
    return "circle" if len(hops) == HOPS else ""


def _is_home(url: httpx.URL, target: httpx.URL) -> bool:
    """Whether headers of ours, which may be secrets, may go along: to the same port of the same
    host, or from its http to its https."""
    doors = (url.port or _port(url), target.port or _port(target))
    return doors[0] == doors[1] or doors == (80, 443)


def shown_url(url: httpx.URL) -> str:
    """An address as it may be shown: without what stands after `?`, which may hold secrets."""
    port = f":{url.port}" if url.port else ""
    host = url.raw_host.decode("ascii", "replace")  # as it is sent: `host` decodes, and may raise
    host = f"[{host}]" if ":" in host else host
    query = "?…" if url.query else ""
    return shorten(harmless(f"{url.scheme}://{host}{port}{url.path}"), 200) + query


def shown_headers(answer: Answer) -> tuple[tuple[str, str], ...]:
    """The headers for a detail view, values that are secrets masked."""
    return tuple(
        (shorten(name, 60), MASK if is_secret(name) else shorten(value, 300))
        for name, value in answer.headers
    )


def _address(location: str) -> str:
    return shorten(location.partition("?")[0], 100)


def _port(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80


def _wait(wire: Wire) -> str:
    stage = wire.stage.value if wire.stage else "an answer"
    return f"{stage} to {wire.peer}" if stage == "a connection" and wire.peer else stage


def _text(value: bytes) -> str:
    return shorten(harmless(value.decode("utf-8", "replace")), 16384)
