"""A webhook of any kind: a JSON document of the team's own shape, by POST, PUT or PATCH."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from warroom.channels._address import check_headers, check_url, checked, headers_of, place_of
from warroom.channels._address import revealed as value_of
from warroom.channels._http import JSON, delivered, packed
from warroom.channels.base import (
    Call,
    Channel,
    ChannelContext,
    ChannelFault,
    ChannelSpec,
    Delivery,
    Message,
    Receipt,
    Watcher,
)
from warroom.config.problems import nearest
from warroom.config.values import Secret

WORDS: Final = (
    "text", "title", "incident", "severity", "scheme", "status", "stage", "audience", "id",
)  # fmt: skip
"""What may stand in braces in a text of `body`."""
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Options:
    """`body` is sent as JSON; `{text}`, `{title}` and the other WORDS in its texts are filled in.

    Without a `body` every one of WORDS is a member of the document, beside `version`.
    """

    url: Secret = field(metadata={"doc": 'url = "https://tools.example/hook" or "env:HOOK_URL"'})
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    bearer: Secret | None = field(
        default=None, metadata={"doc": 'bearer = "env:TOKEN": sent as Authorization: Bearer'}
    )
    body: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_url(self.url, secret=False)
        check_headers(self.headers)
        if self.bearer is not None and self.bearer.is_literal:
            raise ValueError('bearer: a token does not belong in a config; write "env:NAME"')
        for text in _texts(self.body):
            for word in _PLACE.findall(text):
                if word not in WORDS:
                    raise ValueError(f"body: {{{word[:40]}}} is not known; {nearest(word, WORDS)}")


class WebhookChannel:
    """Sends `Idempotency-Key` with the id of the press, for a server that knows what that is."""

    def __init__(self, options: Options, context: ChannelContext) -> None:
        self._options, self._context = options, context

    async def where(self) -> str:
        return place_of(checked(await self._url()))

    def preview(self, message: Message) -> Sequence[tuple[str, str]]:
        return (("request", f"{self._options.method}, JSON"),)

    async def send(self, message: Message, watch: Watcher) -> Receipt:
        try:
            url = await self._url()
            place = place_of(checked(url))
            headers = JSON | {"Idempotency-Key": message.id} | await self._headers()
        except ChannelFault as fault:
            return Receipt(Delivery.FAILED, str(fault))
        content = packed(document(self._options.body, message))
        call = Call(self._options.method, url, content, headers)
        return await delivered(call, self._context, watch, place)

    async def _url(self) -> str:
        return (await value_of(self._options.url, self._context.host)).strip()

    async def _headers(self) -> dict[str, str]:
        headers = await headers_of(self._options.headers, self._context.host)
        if self._options.bearer is not None:
            named = await headers_of({"bearer": self._options.bearer}, self._context.host)
            headers["Authorization"] = f"Bearer {named['bearer']}"
        return headers


def document(body: Mapping[str, Any], message: Message) -> Any:
    """What is sent: `body` with its texts filled in, or the plain document."""
    values = {
        "text": message.text,
        "title": message.title,
        "incident": message.incident,
        "severity": message.severity,
        "scheme": message.scheme,
        "status": message.status.value,
        "stage": message.stage.value,
        "audience": message.audience,
        "id": message.id,
    }
    return _filled(body, values) if body else {"version": 1, **values}


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACE.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, Mapping):
        return {key: _filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return value if isinstance(value, (bool, int, float)) else str(value)  # TOML's dates


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _create(options: Options, context: ChannelContext) -> Channel:
    return WebhookChannel(options, context)


SPEC: Final = ChannelSpec("webhook", "webhook", Options, _create, audience="chat")
