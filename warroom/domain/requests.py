"""What was asked of the systems and what came of it, as the events tell it. Pure.

The order of the journal decides who acts. Of the requests for one target, the first holds it until
an outcome of it is written (one for several targets holds each of them); whoever asks meanwhile is
beaten, for good. So is whoever asks later with a card that was drawn before (`data["seen"]`, the
last entry that its console had read then): eight who press at the same moment want one act,
however short it is. Every console that reads the same events names the same holder, whatever its
clock says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from warroom.domain.events import Event, Kind

Key = tuple[str, str]
"""A host's name, and the exact id of a target there."""

HELD_S: Final = 15.0
"""So long a request is left alone although its console is not seen."""
LEASE_S: Final = 30.0
"""So long after its time limit a request may still be without an outcome."""
GONE: Final = "its console is gone; it may have happened: verify"
SILENT: Final = "nothing was heard of it since its time limit; it may have happened: verify"
BEATEN: Final = "another had asked for the same first; nothing was done"


@dataclass(frozen=True, slots=True)
class Request:
    """One request with what is known of it. `first` is the request that it lost against.

    `outcome` is the holder's own where there is one, else what a witness wrote for it; `verified`
    is the newest look at it.
    """

    event: Event
    first: Event | None = None
    outcome: Event | None = None
    effect: Event | None = None
    verified: Event | None = None

    @property
    def seq(self) -> int:
        return self.event.seq

    @property
    def key(self) -> Key:
        return key_of(self.event)

    @property
    def keys(self) -> tuple[Key, ...]:
        """Everything that it holds: what it is about, and what goes with that."""
        return keys_of(self.event)

    @property
    def title(self) -> str:
        return str(self.event.data.get("title") or self.event.text.partition(":")[0])

    @property
    def label(self) -> str:
        """What people call its target."""
        target = self.event.data.get("target")
        return str(target.get("label", "")) if isinstance(target, dict) else ""

    @property
    def state(self) -> str:
        """`done`, `failed`, `UNKNOWN`, `refused`; empty while it is under way."""
        if self.outcome is not None:
            return str(self.outcome.data.get("state", ""))
        return "refused" if self.first is not None else ""

    @property
    def console(self) -> str:
        """The id of the console that asked."""
        return str(self.event.data.get("console", ""))

    @property
    def undoes(self) -> tuple[str, int] | None:
        """The incident and the sequence of the request that it takes back."""
        link = self.event.data.get("undoes")
        if not isinstance(link, dict) or not isinstance(link.get("request"), int):
            return None
        return str(link.get("incident", "")), link["request"]


def key_of(event: Event) -> Key:
    """What a request is about."""
    target = event.data.get("target")
    name = str(target.get("id", "")) if isinstance(target, dict) else ""
    return str(event.data.get("host", "")), name


def keys_of(event: Event) -> tuple[Key, ...]:
    """What a request is about, then the further targets that its card named (`data["holds"]`)."""
    holds = event.data.get("holds")
    more = [str(one) for one in holds] if isinstance(holds, list) else []
    host, first = key_of(event)
    return tuple((host, one) for one in dict.fromkeys([first, *more]))


def by_witness(outcome: Event) -> bool:
    """Whether another console than the one that acted wrote it: it gives way to the own one."""
    return bool(outcome.data.get("witness"))


_KINDS: Final = frozenset({Kind.REQUESTED, Kind.OUTCOME, Kind.REFUSED, Kind.EFFECT, Kind.VERIFIED})


class Requests:
    """Every request of an incident, brought up to date event by event."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.last = 0
        self._all: dict[int, Request] = {}
        self._holders: dict[Key, int] = {}
        self._latest: dict[Key, int] = {}
        self.add(events)

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, seq: int) -> Request:
        """The request of that sequence. Raises KeyError."""
        return self._all[seq]

    def get(self, seq: int) -> Request | None:
        return self._all.get(seq)

    @property
    def all(self) -> Sequence[Request]:
        """In the order of the journal."""
        return tuple(self._all.values())

    @property
    def under_way(self) -> Sequence[Request]:
        """Those that hold their target, and those that lost and did not say so."""
        return tuple(one for one in self._all.values() if one.outcome is None)

    def holder(self, key: Key) -> Request | None:
        """The request that holds a target now."""
        return self._all[self._holders[key]] if key in self._holders else None

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events, by sequence."""
        events = tuple(events)
        self.last = events[-1].seq if events else self.last
        for event in [event for event in events if event.kind in _KINDS]:
            match event.kind:
                case Kind.REQUESTED:
                    self._asked(event)
                case Kind.OUTCOME | Kind.REFUSED:
                    self._ended(event)
                case Kind.EFFECT:
                    self._change(event, partial(_with, effect=event))
                case Kind.VERIFIED:
                    self._change(event, partial(_with, verified=event))

    def _asked(self, event: Event) -> None:
        request = Request(event)
        holders = (self.holder(key) for key in request.keys)
        first = next((one for one in holders if one is not None), None) or self._since(request)
        if first is not None:
            request = replace(request, first=first.event)
        else:
            for key in request.keys:
                self._holders[key] = self._latest[key] = event.seq
        self._all[event.seq] = request

    def _since(self, request: Request) -> Request | None:
        """What was asked for and not refused after the card of `request` was drawn."""
        seen = request.event.data.get("seen")
        if not isinstance(seen, int):
            return None
        latest = (self._latest.get(key, 0) for key in request.keys)
        later = (self._all[seq] for seq in latest if seq > seen)
        return next((one for one in later if one.state != "refused"), None)

    def _ended(self, event: Event) -> None:
        request = self._of(event)
        if request is None:
            return
        if request.outcome is None or not by_witness(event):
            self._change(event, partial(_with, outcome=event))
        for key in request.keys:
            if self._holders.get(key) == request.seq:
                del self._holders[key]

    def _change(self, event: Event, made: Callable[[Request], Request]) -> None:
        request = self._of(event)
        if request is not None:
            self._all[request.seq] = made(request)

    def _of(self, event: Event) -> Request | None:
        seq = event.data.get("request")
        return self._all.get(seq) if isinstance(seq, int) else None


def _with(request: Request, *, outcome: Event | None = None, effect: Event | None = None,
          verified: Event | None = None) -> Request:  # fmt: skip
    return replace(
        request,
        outcome=outcome or request.outcome,
        effect=effect or request.effect,
        verified=verified or request.verified,
    )


def over(request: Request, now: datetime, present: Iterable[str]) -> str:
    """Why a request of another console is at its end without an outcome of its own, in words;
    empty while it may still be under way. `present` are the consoles seen; none: nobody knows."""
    age, here = now - request.event.recorded_at, set(present)
    if age < timedelta(seconds=HELD_S):
        return ""
    if here and request.console and request.console not in here:
        return BEATEN if request.first else GONE
    if age > timedelta(seconds=limit_of(request) + LEASE_S):
        return BEATEN if request.first else SILENT
    return ""


def limit_of(request: Request) -> float:
    """Its time limit, in seconds."""
    limit: Any = request.event.data.get("limit_s")
    return float(limit) if isinstance(limit, (int, float)) else 0.0
