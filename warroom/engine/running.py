"""An action from its confirmation to its end, for whoever shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from warroom.domain.events import Event
from warroom.engine.effects import Effect
from warroom.engine.lease import Fence
from warroom.mitigations.base import Card, Mitigation, MitigationSpec, Output, Undo

LEFT: Final = "leaving the console"
LEAVE_S: Final = 6.0
"""How long a console that is left waits for what runs to end."""


class State(StrEnum):
    """How a mitigation ended."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "UNKNOWN"
    REFUSED = "refused"


class Phase(StrEnum):
    """Where it stands before it ended."""

    ASKING = "waiting for another person"
    RECORDING = "writing it down"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, in words. `saved` is false when the outcome itself is not on disk yet;
    `undo` takes it back; `request` is the sequence of its request, 0 when there is none."""

    state: State
    text: str
    saved: bool = True
    undo: Undo | None = None
    request: int = 0


Create = Callable[[Output, Callable[[], None]], Mitigation]
"""A fresh mitigation, given what takes its output, and its fence."""


@dataclass(frozen=True, slots=True)
class Action:
    """A mitigation as this room offers it: from the config, or for the rows of a pane.

    `source` is the probe it belongs to, if any. `production` and `approvals` (persons, the one
    who asks among them; 0: as the config says) raise what it wants before it runs; `auto_undo`
    lets its end take it back without a question.
    """

    id: str
    key: str
    title: str
    spec: MitigationSpec
    source: str
    create: Create
    target: str = ""
    """The target that the config names; empty: the selected row, or the source itself."""
    production: bool = False
    approvals: int = 0
    auto_undo: bool = False
    settle: float | None = None

    @property
    def takes_row(self) -> bool:
        return self.spec.takes_row and not self.target

    @property
    def settle_s(self) -> float:
        """After how many seconds its effect is looked at."""
        return self.spec.settle if self.settle is None else self.settle


@dataclass(frozen=True, slots=True)
class Armed:
    """An action with its card, ready to be confirmed.

    `word` must be typed (empty: Enter is enough), `approvals` persons must want it. `undoes` is
    the incident and the sequence of the request that it takes back. `notes` are what the record
    says of the target: who was there before, and what became of it.
    """

    action: Action
    card: Card
    mitigation: Mitigation
    word: str = ""
    approvals: int = 1
    undoes: tuple[str, int] | None = None
    notes: tuple[str, ...] = ()
    seen: int = 0
    """The last entry of the journal that was known when the card was drawn."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    output: Output = field(default_factory=Output)
    fence: Fence | None = None


@dataclass(eq=False)
class Running:
    """A confirmed action. `began` is in monotonic seconds; `effect` comes some time after the
    end, if at all."""

    armed: Armed
    began: float
    phase: Phase = Phase.RECORDING
    request: Event | None = None
    outcome: Outcome | None = None
    effect: Effect | None = None
    effect_due: float | None = None
    """When the effect is looked at, in monotonic seconds; None when it is not."""
    asked: Event | None = None
    """The request for another person's approval."""
    cancelled: str = ""
    """Who or what stopped it; empty while nothing did."""
    told: bool = False
    """Whether people were told how it ended."""
    task: asyncio.Task[Outcome] | None = None
    acting: asyncio.Task[Any] | None = None

    @property
    def output(self) -> Output:
        return self.armed.output

    def cancel(self, who: str) -> None:
        """Stop it: its mitigation ends what it started. Nothing once it has ended."""
        if self.phase is Phase.ENDED or self.cancelled:
            return
        self.cancelled = who
        if self.acting is not None:
            self.acting.cancel()

    async def ended(self) -> Outcome:
        """Its outcome, once it is there; whoever waits may go without ending it."""
        assert self.task is not None, "it was never launched"
        return await asyncio.shield(self.task)

    async def left(self) -> None:
        """The console is being left: stop it, and wait until that is written."""
        self.cancel(LEFT)
        if self.task is not None:
            await asyncio.wait({self.task}, timeout=LEAVE_S)
