"""Steps of a runbook: the team's own shell text, run as it stands in the file.

The one exception to "no shell". What a step is, where it runs and what it is filled in with is
settled before (`engine.steps`); here it is shown, run, watched and kept. No config names this kind:
nothing but a step that was shown can become one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from warroom.domain.clock import span
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    MitigationUncertain,
    Output,
    Risk,
    Target,
)

KIND: Final = "runbook.step"
READS: Final = "runbook.reads"
KEPT: Final = 200_000
"""Characters of a step's output that the record keeps, the newest."""
BACKSTOP_S: Final = 10.0
"""Seconds over a step's own limit, so that it is the step that ends itself."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one run: `words` say it in a line; `code` is None when it was stopped."""

    ok: bool
    words: str
    code: int | None = None
    kind: EvidenceKind = EvidenceKind.OUTPUT


class Runner(Protocol):
    """Runs one step to its end; what it says goes to `output`. Raises MitigationRefused when
    nothing was started, and MitigationUncertain when nobody knows what it did."""

    async def __call__(self, output: Output) -> Ran: ...


def _unchanged() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, settled. All texts are harmless.

    `key` is what the record knows it by, `place` is its file and line, `command` what runs, a line
    each, and `record` the same without secrets. `told` are (what, how much) of it, as a card shows
    them. `stale` says why it may not run after all: its file is another one by now.
    """

    key: str
    place: str
    playbook: str
    title: str
    host: str
    command: tuple[str, ...]
    record: tuple[str, ...]
    risk: Risk
    told: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    limit_s: float
    run: Runner = field(repr=False)
    stale: Callable[[], str] = _unchanged
    filled: Mapping[str, str] = field(default_factory=dict)
    """What placeholders were filled in with, as far as the record may know it."""

    @property
    def name(self) -> str:
        """Its file and line, as people type it: without folders."""
        return self.place.rpartition("/")[2]


class Kept(Output):
    """What one step says: kept here, and shown where the whole is shown."""

    def __init__(self, shown: Output) -> None:
        super().__init__()
        self._shown = shown

    def say(self, text: str) -> None:
        super().say(text)
        self._shown.say(text)

    def text(self) -> str:
        """All that is kept; what went before is counted."""
        whole = "\n".join(self.lines)
        cut = whole[-KEPT:].partition("\n")[2] if len(whole) > KEPT else whole
        left = self.count - (cut.count("\n") + 1 if cut else 0)
        return f"… {left:,} lines before these\n{cut}" if left > 0 else cut


class RunStep:
    """Exactly one step."""

    remembers = ("step",)

    def __init__(self, step: Step, context: MitigationContext) -> None:
        self._step, self._context = step, context

    async def preview(self, row: Row | None) -> Card:
        """The exact text. Raises MitigationRefused when the file changed since it was read."""
        del row
        step = self._step
        _refuse(step.stale())
        return Card(
            kind=KIND,
            title=step.title,
            host=step.host,
            target=Target(f"step {step.key}", step.name),
            command=step.command,
            hits=step.told,
            undo=_UNDO[step.risk],
            risk=step.risk,
            warnings=step.warnings,
            context={"step": _reference(step)},
            record=step.record,
        )

    async def perform(self, card: Card) -> Done:
        """Run it, and keep what it says."""
        del card
        _refuse(self._step.stale())
        self._context.fence()
        kept = await _kept(self._step, self._context)
        if not kept.ran.ok:
            raise MitigationFailed(kept.ran.words, kept.done)
        return kept.done

    async def close(self) -> None:
        """Nothing is kept open."""


class RunReads:
    """Several steps that only look, one after the other, into one entry; one that fails does not
    keep the next from running."""

    remembers = ("steps",)

    def __init__(
        self, title: str, steps: Sequence[Step], context: MitigationContext,
        left: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._title, self._steps, self._context = title, tuple(steps), context
        self._left = left

    async def preview(self, row: Row | None) -> Card:
        """Every one of them. Raises MitigationRefused for one that does not only look."""
        del row
        for step in self._steps:
            _refuse(step.stale())
            if step.risk is not Risk.READ:
                raise MitigationRefused(f"{step.place} does not only look")
        first = self._steps[0]
        alone = len(self._steps) == 1
        count = "one step" if alone else f"{len(self._steps)} steps, one after the other"
        return Card(
            kind=READS,
            title=f"{self._title}: every step that only looks",
            host=first.host,
            target=Target(f"reads {first.key}", self._title),
            command=(self._which, *(x for s in self._steps for x in _listed(s, s.command))),
            hits=(
                ("runs", count),
                ("each", "at most its own time; a failure stops no other"),
                *(("left out", one) for one in self._left),
            ),
            undo=_UNDO[Risk.READ],
            risk=Risk.READ,
            warnings=tuple(dict.fromkeys(w for step in self._steps for w in step.warnings)),
            context={"steps": [_reference(step) for step in self._steps]},
            record=(self._which, *(x for s in self._steps for x in _listed(s, s.record))),
        )

    @property
    def _which(self) -> str:
        """Their file and lines, in short."""
        lines = ", ".join(step.place.rpartition(":")[2] for step in self._steps)
        word = "line" if len(self._steps) == 1 else "lines"
        return f"# {self._steps[0].name.rpartition(':')[0]}, {word} {lines}"

    async def perform(self, card: Card) -> Done:
        """Run them all; what each came to stands in the evidence."""
        del card
        runs: list[dict[str, Any]] = []
        texts: list[str] = []
        began = self._context.clock.now()
        for step in self._steps:
            _refuse(step.stale())
            self._context.fence()
            self._context.output.say(f"── {step.place}: {step.record[0]}")
            done = await self._one(step)
            runs.append(done)
            texts += [f"── {step.place}: {' ⏎ '.join(step.record)}", done.pop("text")]
        good = sum(1 for one in runs if one["state"] == "done")
        bad = [one["place"] for one in runs if one["state"] != "done"]
        words = f"{good} of {len(runs)} worked" + (f"; not: {', '.join(bad)}" if bad else "")
        exhibit = Evidence(
            EvidenceKind.OUTPUT, f"{self._title}: every step that only looks", "\n".join(texts),
            query=f"{len(runs)} steps of {self._steps[0].place.partition(':')[0]}",
            begin=began, end=self._context.clock.now(),
        )  # fmt: skip
        return Done(words, {"steps": runs}, exhibits=(exhibit,))

    async def _one(self, step: Step) -> dict[str, Any]:
        told: dict[str, Any] = {"key": step.key, "place": step.place}
        try:
            kept = await _kept(step, self._context)
        except (MitigationRefused, MitigationUncertain) as error:
            self._context.output.say(str(error))
            return {**told, "state": "failed", "words": str(error), "text": str(error)}
        state = "done" if kept.ran.ok else "failed"
        text = f"{kept.text}\n({kept.ran.words})" if kept.text else f"({kept.ran.words})"
        return {**told, "state": state, "words": kept.ran.words, "text": text}

    async def close(self) -> None:
        """Nothing is kept open."""


@dataclass(frozen=True, slots=True)
class _Kept:
    ran: Ran
    text: str
    done: Done


async def _kept(step: Step, context: MitigationContext) -> _Kept:
    """Run one, and make what the record keeps of it."""
    clock, output = context.clock, Kept(context.output)
    began, start = clock.now(), clock.monotonic()
    ran = await step.run(output)
    seconds = clock.monotonic() - start
    text = output.text()
    words = f"{ran.words} after {span(seconds)}"
    last = next((line.strip() for line in reversed(output.lines) if line.strip()), "")
    if last and not ran.ok:
        words = f"{words}: {last[:200]}"
    told = Ran(ran.ok, words, ran.code, ran.kind)
    evidence: Mapping[str, Any] = {
        "exit": ran.code, "seconds": round(seconds, 2), "lines": output.count,
    }  # fmt: skip
    exhibit = _exhibit(step, told, text, began, clock.now())
    return _Kept(told, text, Done(words, evidence, exhibits=(exhibit,)))


def _exhibit(step: Step, ran: Ran, text: str, begin: datetime, end: datetime) -> Evidence:
    """The output, with what made it: the exact command, and where it stands in which playbook."""
    return Evidence(
        ran.kind,
        f"{step.playbook}, {step.place}: {ran.words}",
        text or "(it said nothing)",
        source=step.place,
        host=step.host,
        query="\n".join(step.record),
        begin=begin,
        end=end,
    )


def _reference(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {"key": step.key, "place": step.place, "playbook": step.playbook}
    return {**found, "filled": dict(step.filled)} if step.filled else found


def _listed(step: Step, lines: Sequence[str]) -> Iterator[str]:
    where = f" on {step.host}" if step.host else ""
    yield f"# {step.place}{where}"
    yield from lines


def _refuse(why: str) -> None:
    if why:
        raise MitigationRefused(why)


_UNDO: Final = {
    Risk.READ: "it changes nothing, as far as reading it tells",
    Risk.CHANGE: "nothing that is known takes it back",
    Risk.DESTROY: "nothing takes it back",
}


def step_spec(step: Step) -> MitigationSpec:
    """The kind that a settled step is: with its own risk and time."""

    def create(options: Step, context: MitigationContext) -> Mitigation:
        return RunStep(options, context)

    return _spec(KIND, step.title, create, step.risk, step.limit_s)


def reads_spec(title: str, steps: Sequence[Step], left: Sequence[str] = ()) -> MitigationSpec:
    """The kind that runs all of `steps`; `left` says which are left out, and why."""
    kept = tuple(steps)

    def create(options: Any, context: MitigationContext) -> Mitigation:
        del options
        return RunReads(title, kept, context, left)

    return _spec(READS, title, create, Risk.READ, sum(step.limit_s + 2 for step in kept))


def _spec(
    kind: str, title: str, create: Callable[[Any, MitigationContext], Mitigation], risk: Risk,
    limit_s: float,
) -> MitigationSpec:  # fmt: skip
    return MitigationSpec(
        kind=kind, title=title, options=Step, create=create, risk=risk, acts_on="",
        timeout=limit_s + BACKSTOP_S,
    )  # fmt: skip


def lines_of(text: str) -> tuple[str, ...]:
    """`text` as a card shows it, line by line; a tab is a picture, for it is no blank."""
    return tuple(harmless(line) for line in text.split("\n"))
