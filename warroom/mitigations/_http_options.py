"""What a config may say of a request, and how a request is written out: before any is made."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from warroom.config.inputs import PLACE, Input, check_inputs, filled, places
from warroom.config.problems import nearest
from warroom.config.values import Line, Seconds, Secret
from warroom.domain.text import harmless, shorten
from warroom.mitigations.base import MitigationRefused, Risk

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

LONGEST_S: Final = 120.0
MASK: Final = "…"
_NOTHING: Final = Line("")
_TIMEOUT: Final = Seconds(15.0)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, section 5.6.2
_OWN: Final = frozenset({"content-length", "transfer-encoding", "host", "connection"})
_SECRET: Final = re.compile(r"auth|token|secret|key|cookie|passw|signature|credential", re.I)


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """A GET that tells whether it happened: by a text in its answer, by its status, or both."""

    url: Secret
    text: str = ""
    status: int = 200

    def __post_init__(self) -> None:
        check_url(self.url)


@dataclass(frozen=True, slots=True)
class InverseSettings:
    """What takes a request back: the same one but for what is given here, or any mitigation by
    `kind` and `options`."""

    method: Method | None = None
    url: Secret | None = None
    json: Mapping[str, Any] | None = None
    body: str | None = None
    statuses: tuple[int, ...] = ()
    kind: str = ""
    title: Line = _NOTHING
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.url is not None:
            check_url(self.url)


@dataclass(frozen=True, slots=True)
class Options:
    """A request and everything around it.

    `{name}` in a written-out `url` and in the texts of `json` is the input of that name: in the
    address it is percent-encoded, in JSON it stays one text (a number where the input is one and
    nothing else stands beside it). `body` is sent as it stands. `statuses` mean that it worked;
    without them all of 2xx do. `ca` is a file with the certificates to trust instead.
    """

    url: Secret
    method: Method = "POST"
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    bearer: Secret | None = None
    json: Mapping[str, Any] | None = None
    body: str | None = None
    inputs: tuple[Input, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict, metadata={"key": "set"})
    statuses: tuple[int, ...] = ()
    timeout: Seconds = _TIMEOUT
    target: Line = _NOTHING
    risk: Risk = Risk.CHANGE
    verify: VerifySettings | None = None
    undo: InverseSettings | str | None = None
    expires: Seconds | None = None
    moves: Mapping[str, Literal["up", "down"]] = field(default_factory=dict)
    warnings: tuple[Line, ...] = ()
    ca: Line = _NOTHING
    verbatim: bool = False

    def __post_init__(self) -> None:
        check_url(self.url)
        check_inputs(self.inputs, self.given)
        check_headers(self.headers)
        if self.bearer is not None and self.bearer.is_literal:
            raise ValueError('bearer: a token does not belong in a config; write "env:NAME"')
        if self.json is not None and self.body is not None:
            raise ValueError("body: there is json already")
        if not 0 < self.timeout <= LONGEST_S:
            raise ValueError(f"timeout: from above 0 to {LONGEST_S:g} seconds")
        if not all(100 <= status <= 599 for status in self.statuses):
            raise ValueError("statuses: from 100 to 599")
        if self.undo is not None and not isinstance(self.undo, InverseSettings):
            message = f'undo: "{self.undo}" is not the title or key of a mitigation'
            raise ValueError(message)
        if self.expires is not None and self.undo is None:
            raise ValueError("expires: what takes it back then? add undo = { method = ... }")
        self._check_json()
        self._check_places()

    def _check_json(self) -> None:
        undo = self.undo if isinstance(self.undo, InverseSettings) else None
        for key, value in (("json", self.json), ("undo", undo.json if undo else None)):
            for name in _secret_names(value):
                raise ValueError(f"{key}: {name} looks like a secret: send it as a header")

    def _check_places(self) -> None:
        if self.verbatim:
            return
        known = [one.name for one in self.inputs]
        for key, text in self._templates():
            for name in places(text):
                if name not in known:
                    hint = nearest(name, known) or "declare it: inputs = [{ name = ... }]"
                    raise ValueError(f"{key}: {{{name}}} is not an input; {hint}")

    def _templates(self) -> Iterator[tuple[str, str]]:
        yield "target", self.target
        yield from (("json", text) for text in texts(self.json))
        if self.url.is_literal:
            yield "url", self.url.reference
        if self.verify is not None and self.verify.url.is_literal:
            yield "verify", self.verify.url.reference
        if isinstance(self.undo, InverseSettings):
            if self.undo.url is not None and self.undo.url.is_literal:
                yield "undo", self.undo.url.reference
            yield from (("undo", text) for text in texts(self.undo.json))
            yield from (("undo", text) for text in texts(self.undo.options))


def check_url(url: Secret) -> None:
    """Raises ValueError (`url: message`) for an address that cannot be asked."""
    if url.is_literal:
        try:
            parts_of(PLACE.sub("x", url.reference))
            if PLACE.search(url.reference.partition("://")[2].partition("/")[0]):
                raise ValueError("the host cannot be an input")
        except ValueError as error:
            raise ValueError(f"url: {error}") from None


def check_headers(headers: Mapping[str, Secret]) -> None:
    """Raises ValueError (`headers: message`) for headers that may not stand in a config."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OWN:
            raise ValueError(f'headers: "{shorten(name, 40)}" is not the name of a header to set')
        if value.is_literal and _SECRET.search(name):
            raise ValueError(
                f"headers: {name} holds a secret, which does not belong in a config; "
                'name where it is, as in "env:NAME" or "file:PATH"'
            )


def parts_of(url: str) -> SplitResult:
    """An address's parts. Raises ValueError; the message holds nothing of it."""
    wrong = "not an address such as https://api.example/maintenance"
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 8192:
        raise ValueError("an address is plain ASCII without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(wrong)
    if parts.username is not None:
        raise ValueError("no user in the address: use bearer or headers")
    return parts


def filled_url(template: str, values: Mapping[str, str]) -> str:
    """A written-out address with its values, each percent-encoded. Raises MitigationRefused for
    a value that would lead to another path.

    >>> filled_url("https://h/flags/{f}?on={v}", {"f": "a/b?c", "v": "x&y=1"})
    'https://h/flags/a%2Fb%3Fc?on=x%26y%3D1'
    """
    for name in places(template):
        if values[name].strip(".") == "":
            raise MitigationRefused(f"{name}: {values[name]} would lead to another path")
    return filled(template, {name: quote(value, safe="") for name, value in values.items()})


def filled_json(value: Any, values: Mapping[str, str], numbers: Sequence[str]) -> Any:
    """A document with its values; those of `numbers` become numbers where they stand alone."""
    if isinstance(value, str):
        alone = PLACE.fullmatch(value)
        if alone and alone[1] in numbers:
            return int(values[alone[1]])
        return filled(value, values)
    if isinstance(value, Mapping):
        return {key: filled_json(each, values, numbers) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled_json(each, values, numbers) for each in value]
    return value if isinstance(value, (bool, int, float)) else str(value)  # TOML's dates


def packed(document: Any) -> bytes:
    """JSON as it is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def shown_url(url: str, *, is_secret: bool = False) -> str:
    """An address for a card: of one that is kept elsewhere only its host, else all but secrets."""
    parts = parts_of(url)
    if is_secret:
        return harmless(f"{parts.scheme}://{parts.netloc}/{MASK}")
    pairs = [pair.partition("=") for pair in parts.query.split("&")] if parts.query else []
    query = "&".join(
        f"{name}={MASK}" if _SECRET.search(name) and value else name + mark + value
        for name, mark, value in pairs
    )
    return shorten(harmless(urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))), 500)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its own name or number."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def texts(value: Any) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from texts(each)


def _secret_names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if isinstance(each, str) and each and re.search(r"passw|secret|token", name, re.I):
                yield shorten(harmless(name), 40)
            yield from _secret_names(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _secret_names(each)
