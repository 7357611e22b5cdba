"""What a mitigation is: a card that shows everything, and one act that the card describes.

MitigationRefused     would not run: bad target, target changed, guard
MitigationFailed      ran and did not work; nothing is uncertain
MitigationUncertain   may or may not have happened (a cut connection, a time limit)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol, runtime_checkable

from warroom.config.inputs import Input
from warroom.config.registry import UnknownMember, member
from warroom.domain.clock import Clock
from warroom.domain.evidence import Evidence
from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.hosts.base import Host


class MitigationRefused(Exception):
    """Nothing was done, and why."""


class _Tried(Exception):
    """`kept` is what the record is to keep of it all the same: texts, and what takes back the
    part that was done."""

    def __init__(self, text: str, kept: Done | None = None) -> None:
        super().__init__(text)
        self.kept = kept


class MitigationFailed(_Tried):
    """It was tried and the system said no."""


class MitigationUncertain(_Tried):
    """It was asked for and no answer came: nobody knows."""


class Risk(StrEnum):
    """How much confirmation a mitigation wants."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Target:
    """What is acted on: `id` is exact, `label` is what people call it (and type), `identity` is
    compared again just before acting (container id and start, pid and backend start...)."""

    id: str
    label: str
    identity: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that a responder sees before confirming; all texts are harmless already.

    `command` is the exact argv, query or request, a line each; `hits` is the blast radius as
    (what, how much); `undo` says what takes it back, or that nothing does; `context` is for the
    mitigation itself. `holds` are the ids of further targets that nobody else may act on
    meanwhile. `record` is what the record keeps in place of `command`, where that holds a secret.
    """

    kind: str
    title: str
    host: str
    target: Target
    command: tuple[str, ...]
    hits: tuple[tuple[str, str], ...]
    undo: str
    risk: Risk
    warnings: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    holds: tuple[str, ...] = ()
    record: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """What must be typed to confirm; empty when Enter is enough."""
        return self.target.label if self.risk is Risk.DESTROY else ""


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a mitigation back: another one, by its kind and the plain options that a config
    would give it, so that any console can arm it later from the record alone. No secrets."""

    kind: str
    title: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """It worked: `text` says what happened, `evidence` keeps figures worth recording.

    `undo` takes it back, when anything does. `expires_s` is after how many seconds a temporary
    change is to be taken back. `exhibits` are texts that the record is to keep with the action.
    """

    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    undo: Undo | None = None
    expires_s: float | None = None
    exhibits: tuple[Evidence, ...] = ()


def unfenced() -> None:
    """No fence: nobody else can have taken it over."""


class Output:
    """What a running mitigation says, harmless, a line each, the newest LINES of them."""

    LINES: Final = 1000

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=self.LINES)
        self.count = 0

    def say(self, text: str) -> None:
        """Show this while it runs."""
        for line in harmless(text, lines=True).splitlines():
            self.lines.append(line)
            self.count += 1


class Mitigation(Protocol):
    """One action on one system. `preview` only reads."""

    async def preview(self, row: Row | None) -> Card:
        """The card for the selected row (None: for what the config names).

        Raises MitigationRefused when there is nothing to act on, or it may not be acted on.
        """
        ...

    async def perform(self, card: Card) -> Done:
        """Act as `card` says, after comparing the target's identity again.

        Raises MitigationRefused, MitigationFailed or MitigationUncertain.
        """
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Verifiable(Protocol):
    """A mitigation that can tell afterwards whether it happened.

    Of the card's `context` only what its class names in `remembers` (a tuple of keys) stands in
    the record, so that any console can ask later: nothing secret may be among them.
    """

    async def verify(self, card: Card) -> str:
        """What the system says of it now, in words; only reads. Raises MitigationRefused."""
        ...


@runtime_checkable
class Asks(Protocol):
    """A mitigation that wants answers to its spec's `inputs` before it draws a card."""

    def answer(self, values: Mapping[str, str]) -> None:
        """Take the values, by the inputs' names; those that are not given are at their default.

        Raises MitigationRefused, which names the input, for one that is missing or wrong.
        """
        ...


@dataclass(frozen=True, slots=True)
class Signature:
    """Who acts, from which address they are logged in, and in which incident; each may be empty."""

    author: str = ""
    origin: str = ""
    incident: str = ""


@dataclass(frozen=True, slots=True)
class MitigationContext:
    """What a mitigation is given besides its options; `output` takes what it says as it runs,
    `title` is what the config calls it, empty when it says nothing. `sign` says who acts at the
    moment, for what a mitigation leaves behind in a file. `fence` is called just before the one
    step that cannot be taken back: it raises MitigationRefused where the right to act was lost
    meanwhile, by a console that was stopped for instance."""

    host: Host
    clock: Clock
    output: Output = field(default_factory=Output)
    title: str = ""
    sign: Callable[[], Signature] = Signature
    fence: Callable[[], None] = unfenced


@dataclass(frozen=True, slots=True)
class MitigationSpec:
    """A kind of mitigation. A file exports its kinds as `SPECS`.

    `acts_on` is the probe kind whose selected row (or source) it takes; when armed from a pane
    the options are filled from that probe's entry, by the names of the fields they share.
    `target_option` is the option that names the target; where it is given, no row is taken.
    `moves` are (metric, "down" | "up") that it should move, for the effect afterwards.
    `settle` is after how many seconds that is looked at.
    `inputs` are asked for before the card. `fit` gives the spec that certain options make of this
    one: with a time limit, a risk, inputs of their own.
    """

    kind: str
    title: str
    options: type
    create: Callable[[Any, MitigationContext], Mitigation]
    risk: Risk
    acts_on: str
    takes_row: bool = False
    target_option: str = ""
    moves: tuple[tuple[str, str], ...] = ()
    timeout: float = 30.0
    inputs: tuple[Input, ...] = ()
    fit: Callable[[MitigationSpec, Any], MitigationSpec] | None = None
    settle: float = 10.0

    def fitted(self, options: Any) -> MitigationSpec:
        """This kind as `options` make it."""
        return self.fit(self, options) if self.fit else self


def spec(kind: str) -> MitigationSpec:
    """The spec of `file.kind`, e.g. `docker.restart`. Raises registry.UnknownMember."""
    import warroom.mitigations as room

    module_name = kind.partition(".")[0]
    specs: tuple[MitigationSpec, ...] = member(room, module_name).SPECS
    for candidate in specs:
        if candidate.kind == kind:
            return candidate
    raise UnknownMember("mitigations", kind, [candidate.kind for candidate in specs])
