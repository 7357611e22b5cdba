"""What a channel is: one message to one place, and an honest word about what became of it.

ChannelFault         cannot be used: a secret is missing, an address is wrong; nothing left
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from warroom.config.registry import member
from warroom.domain.clock import Clock
from warroom.domain.incident import Status
from warroom.hosts.base import Host

LIMIT_S: Final = 60.0
"""Seconds that one message may take altogether, waits between attempts included."""
ATTEMPT_S: Final = 20.0
"""Seconds that one attempt may take."""


class ChannelFault(Exception):
    """The channel cannot be used as it is configured; nothing was sent. One plain line, which
    never holds a secret."""


class Stage(StrEnum):
    """Which update of an audience it is."""

    INITIAL = "initial"
    UPDATE = "update"
    RESOLVED = "resolved"


class Delivery(StrEnum):
    """What became of a message. UNKNOWN: it may have arrived or not; nobody sends it again by
    itself."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told. Texts are harmless already; `text` is plain, of several lines.

    `id` is that of the key press that sends it: the same id is never sent twice. `origin` is the
    id of the incident's first event, which no other incident has anywhere. `rank` is how bad the
    severity is, 0 for the worst of `levels`. `thread` is what an earlier receipt of the same
    incident and channel gave.
    """

    id: str
    incident: str
    origin: str
    title: str
    severity: str
    scheme: str
    rank: int
    levels: int
    status: Status
    stage: Stage
    audience: str
    text: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a delivery ended, in one plain line. `thread` is what the next message goes on with."""

    state: Delivery
    text: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a delivery stands. While `leaving`, it is on its way and cannot be taken back."""

    text: str
    leaving: bool


Watcher = Callable[[Progress], None]


class Channel(Protocol):
    """One place where people are told. Nothing is contacted before `send`."""

    async def where(self) -> str:
        """Where a message goes, for people: a host or addresses, never a secret URL.

        Raises ChannelFault when it could not go anywhere.
        """
        ...

    def preview(self, message: Message) -> Sequence[tuple[str, str]]:
        """What goes along besides the text, by name: a subject, a status, an impact."""
        ...

    async def send(self, message: Message, watch: Watcher) -> Receipt:
        """Send once. Attempts are repeated only where the server surely took nothing.

        Never raises for what goes wrong outside; a cancellation between attempts means that
        nothing left.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What a channel is given besides its options. `host` fetches its secrets."""

    name: str
    host: Host
    clock: Clock
    limit: float = LIMIT_S
    attempt: float = ATTEMPT_S


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A kind of channel: what its file exports as `SPEC`.

    `options` is a frozen dataclass that the config's table is shaped into. `audience` is whom it
    tells unless the config says otherwise; `public` says that it always speaks to everybody.
    """

    kind: str
    title: str
    options: type
    create: Callable[[Any, ChannelContext], Channel]
    audience: str
    public: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request over HTTP. Neither the address nor the headers show in its `repr`."""

    method: str
    url: str = field(repr=False)
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def spec(kind: str) -> ChannelSpec:
    """The spec of a kind, its module imported now. Raises registry.UnknownMember."""
    import warroom.channels as room

    found: ChannelSpec = member(room, kind).SPEC
    return found
