"""Slack, and whatever takes the same: an incoming webhook of Mattermost, Rocket.Chat, Zulip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from warroom.channels._address import check_url, checked, place_of, revealed
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
from warroom.config.values import Secret

_ENTITIES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))  # in this order
TEXT_LIMIT: Final = 40_000
"""Characters of a message; Slack cuts what is longer without a word."""


@dataclass(frozen=True, slots=True)
class Options:
    """`url` is the webhook's own: whoever knows it can post, so the config says where it is."""

    url: Secret = field(metadata={"doc": 'url = "env:SLACK_WEBHOOK"'})

    def __post_init__(self) -> None:
        check_url(self.url, secret=True)


class SlackChannel:
    """Posts `{"text": ...}`; nothing in it is a link, a mention or a broadcast of its own."""

    def __init__(self, options: Options, context: ChannelContext) -> None:
        self._options, self._context = options, context

    async def where(self) -> str:
        return place_of(checked(await self._url()))

    def preview(self, message: Message) -> Sequence[tuple[str, str]]:
        return ()

    async def send(self, message: Message, watch: Watcher) -> Receipt:
        if len(message.text) > TEXT_LIMIT:
            return Receipt(Delivery.FAILED, f"longer than {TEXT_LIMIT:,} characters: not sent")
        try:
            url = await self._url()
            place = place_of(checked(url))
        except ChannelFault as fault:
            return Receipt(Delivery.FAILED, str(fault))
        # the client must not go and fetch what a link in the text leads to
        content = {"text": escaped(message.text), "unfurl_links": False, "unfurl_media": False}
        call = Call("POST", url, packed({**content, "link_names": False}), JSON)
        return await delivered(call, self._context, watch, place)

    async def _url(self) -> str:
        return (await revealed(self._options.url, self._context.host)).strip()


def escaped(text: str) -> str:
    """`text` for Slack's mrkdwn, which keeps `& < >` for itself (Slack API, "Formatting text").

    >>> escaped("<!channel> a & b <https://evil.example|here>")
    '&lt;!channel&gt; a &amp; b &lt;https://evil.example|here&gt;'
    """
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text


def _create(options: Options, context: ChannelContext) -> Channel:
    return SlackChannel(options, context)


SPEC: Final = ChannelSpec("slack", "Slack-compatible webhook", Options, _create, audience="chat")
