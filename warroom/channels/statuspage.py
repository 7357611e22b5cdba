"""Atlassian Statuspage: one incident on the page for one of ours, opened, updated, resolved.

Over its REST API (developer.statuspage.io, "Incidents"): POST /pages/{page}/incidents, and PATCH
of the same incident from then on. Which one is ours stands in its metadata, so that a second
console, or one that never heard the answer, goes on with it and opens no second one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from warroom.channels._address import check_url, checked, headers_of, place_of
from warroom.channels._http import JSON, attempted, packed, table_in, value_in
from warroom.channels.base import (
    Call,
    Channel,
    ChannelContext,
    ChannelFault,
    ChannelSpec,
    Delivery,
    Message,
    Receipt,
    Stage,
    Watcher,
)
from warroom.config.problems import nearest
from warroom.config.values import Line, Secret
from warroom.domain.incident import Status

API: Final = "https://api.statuspage.io/v1"
IMPACTS: Final = ("critical", "major", "minor", "none")
STATES: Final[Mapping[Status, str]] = {
    Status.INVESTIGATING: "investigating",
    Status.IDENTIFIED: "identified",
    Status.MITIGATING: "identified",  # the page has no word for it: the cause is known
    Status.MONITORING: "monitoring",
    Status.RESOLVED: "resolved",
    Status.CLOSED: "resolved",
}
"""The page's word for each status."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Options:
    """`impact` says for a severity what it is to the public; what it does not name is worked out
    from how bad the severity is within its scheme."""

    page: Line = field(metadata={"doc": "the page's id, from its management address"})
    key: Secret = field(metadata={"doc": 'the API key: key = "env:STATUSPAGE_KEY"'})
    components: tuple[str, ...] = field(default=(), metadata={"doc": "ids of components hit"})
    impact: Mapping[str, str] = field(
        default_factory=dict, metadata={"doc": 'impact = { P1 = "major" }'}
    )
    url: str = API

    def __post_init__(self) -> None:
        if self.key.is_literal:
            raise ValueError('key: an API key does not belong in a config; write "env:NAME"')
        check_url(Secret(self.url), secret=False)
        if self.url.startswith(("env:", "file:", "command:")):
            raise ValueError("url: the address of the API is no secret")
        if not _ID.fullmatch(self.page):
            raise ValueError("page: not the id of a page, such as kctbh9vrtdwd")
        if not all(_ID.fullmatch(each) for each in self.components):
            raise ValueError("components: ids, such as fxxz3ksj8c2q")
        for word in self.impact.values():
            if word not in IMPACTS:
                raise ValueError(f'impact: "{word[:40]}" is not one; {nearest(word, IMPACTS)}')


class StatuspageChannel:
    """A receipt's `thread` is the id of the incident on the page."""

    def __init__(self, options: Options, context: ChannelContext) -> None:
        self._options, self._context = options, context
        self._place = place_of(checked(options.url))

    async def where(self) -> str:
        return f"page {self._options.page} at {self._place}"

    def preview(self, message: Message) -> Sequence[tuple[str, str]]:
        components = self._options.components
        return (
            ("name", message.title),
            ("status", state_of(message)),
            ("impact", self._impact(message)),
            *((("components", f"{len(components)} of them"),) if components else ()),
        )

    async def send(self, message: Message, watch: Watcher) -> Receipt:
        try:
            named = await headers_of({"the API key": self._options.key}, self._context.host)
        except ChannelFault as fault:
            return Receipt(Delivery.FAILED, str(fault))
        headers = JSON | {"Authorization": f"OAuth {named['the API key']}"}
        thread = message.thread if _ID.fullmatch(message.thread) else ""
        if not thread:
            found = await self._ours(message, headers, watch)
            if isinstance(found, Receipt):
                return found
            thread = found
        incidents = f"{self._options.url.rstrip('/')}/pages/{self._options.page}/incidents"
        content = packed({"incident": self._content(message, new=not thread)})
        call = (
            Call("PATCH", f"{incidents}/{thread}", content, headers)
            if thread
            else Call("POST", incidents, content, headers)
        )
        reply = await attempted(call, self._context, watch)
        if isinstance(reply, Receipt):
            return Receipt(reply.state, reply.text, thread)
        made = table_in(reply.body).get("id")
        thread = thread or (made if isinstance(made, str) and _ID.fullmatch(made) else "")
        return Receipt(Delivery.SENT, f"{state_of(message)} on {await self.where()}", thread)

    async def _ours(
        self, message: Message, headers: Mapping[str, str], watch: Watcher
    ) -> str | Receipt:
        """The page's incident that is ours already; empty when there is none.

        Only reads. When that cannot be found out nothing is sent: it might be a second one.
        """
        address = f"{self._options.url.rstrip('/')}/pages/{self._options.page}/incidents"
        call = Call("GET", f"{address}/unresolved", b"", headers)
        reply = await attempted(call, self._context, watch)
        if isinstance(reply, Receipt):
            return Receipt(Delivery.FAILED, f"not sent: {reply.text.partition('; it may')[0]}")
        incidents = value_in(reply.body)
        if not isinstance(incidents, list):
            text = f"not sent: {self._place} gives no list of its open incidents"
            return Receipt(Delivery.FAILED, text)
        for incident in incidents:
            made = incident.get("id") if isinstance(incident, dict) else None
            if isinstance(made, str) and _ID.fullmatch(made) and _names(incident, message):
                return made
        return ""

    def _content(self, message: Message, *, new: bool) -> dict[str, Any]:
        content: dict[str, Any] = {"status": state_of(message), "body": message.text}
        if new:
            content["name"] = message.title
            content["metadata"] = {
                "warroom": {"incident": message.incident, "origin": message.origin}
            }
        if message.stage is not Stage.RESOLVED:
            content["impact_override"] = self._impact(message)
        if self._options.components:
            content["component_ids"] = list(self._options.components)
        return content

    def _impact(self, message: Message) -> str:
        said = {name.casefold(): word for name, word in self._options.impact.items()}
        return said.get(message.severity.casefold()) or impact_of(message.rank, message.levels)


def state_of(message: Message) -> str:
    """The page's status: resolved with the last update, whatever the incident's own says."""
    if message.stage is Stage.RESOLVED:
        return "resolved"
    state = STATES[message.status]
    return "monitoring" if state == "resolved" else state  # not yet told as resolved


def impact_of(rank: int, levels: int) -> str:
    """What a severity is to the public: the worst is critical, the last of four or more nothing.

    >>> [impact_of(rank, 4) for rank in range(4)], [impact_of(rank, 3) for rank in range(3)]
    (['critical', 'major', 'minor', 'none'], ['critical', 'major', 'minor'])
    """
    if rank >= 3 and rank == levels - 1:
        return "none"
    return IMPACTS[max(0, min(rank, 2))]


def _names(incident: Mapping[str, Any], message: Message) -> bool:
    metadata = incident.get("metadata")
    ours = metadata.get("warroom") if isinstance(metadata, dict) else None
    return isinstance(ours, dict) and ours.get("origin") == message.origin


def _create(options: Options, context: ChannelContext) -> Channel:
    return StatuspageChannel(options, context)


SPEC: Final = ChannelSpec(
    "statuspage", "Atlassian Statuspage", Options, _create, audience="status page", public=True
)
