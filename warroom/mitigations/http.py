"""Makes one HTTP request: shown before with its secrets masked, made once, taken back by its
inverse. What was sent and not answered is UNKNOWN, and is never sent again by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from warroom.config.inputs import asked, filled
from warroom.config.values import Secret
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.domain.text import harmless, shorten
from warroom.hosts.base import HostError, HostLost
from warroom.hosts.secrets import SecretError, reveal
from warroom.mitigations._asked import answers
from warroom.mitigations._http_options import (
    MASK,
    InverseSettings,
    Options,
    filled_json,
    filled_url,
    is_loopback,
    packed,
    parts_of,
    shown_url,
)
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Risk,
    Target,
    Undo,
)

if TYPE_CHECKING:
    from warroom.mitigations._http_request import Call, Reply

KIND: Final = "http.request"
_UNSURE: Final = frozenset({500, 502, 504})
"""Answers after which it may have been done: by what stands behind, before something broke."""
_BODY: Final = 2000
"""Characters of a body that stand on the card."""
_BACKSTOP_S: Final = 20.0
_NAMED: Final = {"url", "method", "json", "body", "statuses"}


class Request:
    """One request with the answers to its inputs."""

    def __init__(self, options: Options, context: MitigationContext) -> None:
        self._options, self._context = options, context
        self._values: Mapping[str, str] | None = None

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        self._values = answers(self._options.inputs, values, self._options.given)

    async def preview(self, row: Row | None) -> Card:
        """The exact request, secrets masked, and how it is now. Raises MitigationRefused."""
        options = self._options
        if self._values is None:
            self.answer({})
        call = await self._call()
        undo = self._undo()
        hits = [(one.label, harmless(self._filled[one.name])) for one in options.inputs]
        if options.verify is not None:
            hits.append(("now", await self._verified()))
        host = self._context.host.name
        return Card(
            kind=KIND,
            title=harmless(self._context.title) or f"{call.method} {parts_of(call.url).hostname}",
            host=host,
            target=self._target(call, host),
            command=tuple(self._written(call)),
            hits=tuple(hits),
            undo=self._undo_words(undo),
            risk=options.risk,
            warnings=(*map(harmless, options.warnings), *self._warnings(call)),
            context={"undo": undo},
        )

    async def perform(self, card: Card) -> Done:
        """Make the request, once, and judge its answer."""
        from warroom.mitigations._http_request import NoReply, NotSent, ask

        options, clock = self._options, self._context.clock
        call, began = await self._call(), clock.monotonic()
        self._context.fence()
        try:
            reply = await ask(call, self._context.host, options.timeout)
        except NotSent as fault:
            raise MitigationFailed(f"nothing was sent: {fault}") from fault
        except (NoReply, HostLost) as fault:
            raise MitigationUncertain(f"{fault}; it may have happened") from fault
        except HostError as error:
            raise MitigationFailed(f"nothing was sent: {error}") from error
        seconds = clock.monotonic() - began
        self._context.output.say(reply.text)
        words = _told(reply)
        if not self._worked(reply.status):
            if reply.status in _UNSURE and call.method != "GET":
                raise MitigationUncertain(f"{words}; it may have happened all the same")
            raise MitigationFailed(words)
        evidence: dict[str, Any] = {"status": reply.status, "seconds": round(seconds, 2)}
        if options.verify is not None:
            evidence["verified"] = await self._verified()
            words += f"; afterwards {evidence['verified']}"
        return Done(words, evidence, card.context["undo"], options.expires)

    async def close(self) -> None:
        """Nothing is kept open."""

    @property
    def _filled(self) -> Mapping[str, str]:
        return self._values or {}

    def _worked(self, status: int) -> bool:
        statuses = self._options.statuses
        return status in statuses if statuses else 200 <= status < 300

    async def _call(self) -> Call:
        """The request with its secrets. Raises MitigationRefused when one cannot be had."""
        from warroom.mitigations._http_request import Call

        options = self._options
        headers = {name: await self._revealed(one) for name, one in options.headers.items()}
        secrets = [v for n, v in headers.items() if not options.headers[n].is_literal]
        if options.bearer is not None:
            token = await self._revealed(options.bearer)
            headers["Authorization"] = f"Bearer {token}"
            secrets.append(token)
        content = options.body.encode() if options.body is not None else None
        if options.json is not None:
            headers.setdefault("Content-Type", "application/json")
            content = packed(self._document(options.json))
        url = await self._address(options.url)
        if not options.url.is_literal:
            secrets.append(url)
        ordered = sorted(secrets, key=len, reverse=True)
        return Call(options.method, url, headers, content, ordered, options.ca)

    def _document(self, document: Mapping[str, Any]) -> Any:
        if self._options.verbatim:
            return filled_json(document, {}, ()) if not document else dict(document)
        numbers = [one.name for one in self._options.inputs if one.type == "int"]
        return filled_json(document, self._filled, numbers)

    async def _address(self, url: Secret) -> str:
        """Where a request goes. Raises MitigationRefused."""
        if url.is_literal:
            if self._options.verbatim:
                return url.reference
            return filled_url(url.reference, self._filled)
        found = (await self._revealed(url)).strip()
        try:
            parts_of(found)
        except ValueError as error:
            raise MitigationRefused(f"{url.reference}: {error}") from None
        return found

    async def _revealed(self, secret: Secret) -> str:
        try:
            value = (await reveal(secret, self._context.host)).strip()
        except SecretError as error:
            raise MitigationRefused(str(error)) from None
        if not value.isascii() or not value.isprintable():
            raise MitigationRefused(f"{secret!r} holds something that HTTP cannot carry")
        return value

    async def _verified(self) -> str:
        """What the verifying GET says, in words; never raises for a system that is away."""
        from warroom.mitigations._http_request import Call, NoReply, NotSent, ask

        verify = self._options.verify
        assert verify is not None
        call = await self._call()
        url = await self._address(verify.url)
        same = parts_of(url)[:2] == parts_of(call.url)[:2]
        own = {n: v for n, v in call.headers.items() if n.lower() != "content-type"}
        look = Call("GET", url, own if same else {}, None, call.secrets, call.ca)
        try:
            reply = await ask(look, self._context.host, self._options.timeout)
        except (NotSent, NoReply, HostError) as fault:
            return f"it cannot be verified: {fault}"
        words = f"HTTP {reply.status}"
        if reply.status != verify.status:
            words += f", not {verify.status}"
        if verify.text:
            there = "is" if verify.text in reply.text else "is not"
            words += f', "{shorten(harmless(verify.text), 60)}" {there} in it'
        return words

    def _target(self, call: Call, host: str) -> Target:
        options = self._options
        place = shown_url(call.url.partition("?")[0], is_secret=not options.url.is_literal)
        label = options.target if options.verbatim else filled(options.target, self._filled)
        label = shorten(harmless(label or (parts_of(call.url).hostname or "")), 100)
        return Target(f"http {place}{f' from {host}' if host else ''}", label)

    def _written(self, call: Call) -> Iterator[str]:
        """The request, a line each: secrets masked, every header named."""
        yield f"{call.method} {shown_url(call.url, is_secret=not self._options.url.is_literal)}"
        for name in call.headers:
            secret = self._options.headers.get(name)
            is_plain = name == "Content-Type" or (secret is not None and secret.is_literal)
            yield f"{name}: {shorten(harmless(call.headers[name]), 200) if is_plain else MASK}"
        if call.content is not None:
            yield shorten(harmless(call.content.decode("utf-8", "replace")), _BODY)
        statuses = ", ".join(map(str, self._options.statuses)) or "any 2xx"
        yield f"once, within {span(self._options.timeout)}; {statuses} means it worked"

    def _warnings(self, call: Call) -> Iterator[str]:
        parts = parts_of(call.url)
        if parts.scheme == "http" and call.secrets and not is_loopback(parts.hostname or ""):
            yield "over plain http: whoever is on the way can read its secrets"

    def _undo(self) -> Undo | None:
        undo, options = self._options.undo, self._options
        if not isinstance(undo, InverseSettings):
            return None
        title = undo.title or f"Undo: {self._context.title or options.method}"
        if undo.kind and undo.kind != KIND:
            return Undo(undo.kind, title, dict(undo.options))
        table = self._plain()
        table |= {key: value for key, value in undo.options.items() if key in _NAMED}
        if undo.method is not None:
            table["method"] = undo.method
        if undo.url is not None:
            table["url"] = undo.url.reference
        if undo.json is not None or undo.body is not None:
            table["json"], table["body"] = undo.json, undo.body
        if undo.statuses:
            table["statuses"] = list(undo.statuses)
        if table["method"] in ("GET", "DELETE") and undo.json is None and undo.body is None:
            table["json"] = table["body"] = None
        if Secret(table["url"]).is_literal:
            table["url"] = filled_url(table["url"], self._filled)
        if table["json"] is not None:
            table["json"] = self._document(table["json"])
        kept = {key: value for key, value in table.items() if value not in (None, "", [], {})}
        return Undo(KIND, title, {**kept, "verbatim": True})

    def _plain(self) -> dict[str, Any]:
        """The options of this request as a config would have them; secrets as references."""
        options = self._options
        return {
            "url": options.url.reference,
            "method": options.method,
            "headers": {name: one.reference for name, one in options.headers.items()},
            "bearer": options.bearer.reference if options.bearer else "",
            "json": options.json,
            "body": options.body,
            "timeout": float(options.timeout),
            "ca": options.ca,
            "target": filled(options.target, self._filled),
        }

    def _undo_words(self, undo: Undo | None) -> str:
        if undo is None:
            return "nothing that is known takes it back"
        words = undo.kind
        if undo.kind == KIND:
            url = str(undo.options["url"])
            place = shown_url(url) if Secret(url).is_literal else harmless(url)
            words = f"{undo.options['method']} {place}"
            if "json" in undo.options:
                words += f" {shorten(packed(undo.options['json']).decode(), 300)}"
        expires = self._options.expires
        after = f"; it is to be taken back after {span(expires)}" if expires else ""
        return f"{harmless(words)}{after}"


class VerifiableRequest(Request):
    """A request whose config says how to see afterwards whether it happened."""

    async def verify(self, card: Card) -> str:
        """What the verifying GET says now."""
        return await self._verified()


def _told(reply: Reply) -> str:
    text = shorten(" ".join(reply.text.split()), 200)
    to = f" to {reply.location}, which is not followed" if 300 <= reply.status < 400 else ""
    return f"HTTP {reply.status}{to}{f': {text}' if text else ''}"


def _create(options: Options, context: MitigationContext) -> Mitigation:
    return (VerifiableRequest if options.verify else Request)(options, context)


def _fit(spec: MitigationSpec, options: Options) -> MitigationSpec:
    return replace(
        spec,
        risk=options.risk,
        moves=tuple(options.moves.items()),
        timeout=2.0 * options.timeout + _BACKSTOP_S,
        inputs=asked(options.inputs, options.given),
    )


SPECS: Final = (
    MitigationSpec(
        kind=KIND,
        title="Make a request",
        options=Options,
        create=_create,
        risk=Risk.CHANGE,
        acts_on="",
        fit=_fit,
    ),
)
