"""A playbook as it is worked through: its lines in order, and how far each of its tasks is.

How far is a projection of the events alone, so that every console sees the same. A task is known
by its text within its playbook, and not by its line: whoever adds a line above it to the file does
not lose what was done. Pure.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.events import Event, Kind, packed
from warroom.mitigations._step import KIND, READS
from warroom.runbooks.manner import Manner, manner
from warroom.runbooks.model import Assessment, Part, PhaseKind, Risk, Step, StepKind, TimeBox
from warroom.runbooks.sql import looks_like_sql, sql_risk
from warroom.runbooks.unwrap import base_name, unwrapped

if TYPE_CHECKING:
    from warroom.domain.requests import Requests
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Playbook


class What(StrEnum):
    """What a line of a playbook is."""

    PHASE = "phase"
    SAYS = "says"
    ASKS = "asks"
    TASK = "task"
    OPENS = "opens"
    TEXT = "text"


_NOT_RUN: Final = {
    StepKind.REPL: "it is typed at another program's prompt, and warroom opens none: "
    "c copies it for your own terminal",
    StepKind.TEMPLATE: "a text to fill in and send: copy it",
    StepKind.OUTPUT: "it shows what something prints: not for running",
    StepKind.CONFIG: "it belongs into a file: copy it",
    StepKind.CODE: "it is no shell text: copy it",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a playbook. `key` is empty for what cannot be done or answered; `part` is None
    for a query; `why_not` says why a text is not run here."""

    what: What
    line: int
    text: str
    key: str = ""
    comment: str = ""
    risk: Risk = Risk.READ
    why: str = ""
    why_not: str = ""
    box: TimeBox | None = None
    phase: PhaseKind | None = None
    step: Step | None = None
    part: Part | None = None

    @property
    def is_query(self) -> bool:
        return self.what is What.TASK and self.part is None

    @property
    def is_runnable(self) -> bool:
        return self.what is What.TASK and not self.why_not


def entries(book: Book, playbook: Playbook) -> tuple[Entry, ...]:
    """Everything that a playbook holds, in the order of the file: its phases, what it says and
    asks, and each command of its steps."""
    made = [*_prose(playbook), *(each for step in playbook.steps for each in _of_step(step))]
    seen: Counter[str] = Counter()
    found = []
    for each in sorted(made, key=lambda one: (one.line, one.what is not What.PHASE)):
        if each.what in (What.PHASE, What.OPENS):
            found.append(each)
            continue
        seen[each.text] += 1
        key = _key(book.name, playbook.title, each.text, seen[each.text])
        found.append(replace(each, key=key))
    return tuple(found)


def _key(*parts: object) -> str:
    return hashlib.sha256(packed([str(part) for part in parts]).encode()).hexdigest()[:16]


def _prose(playbook: Playbook) -> Iterator[Entry]:
    inline = {(s.line, s.label) for s in playbook.steps if s.language == "inline"}
    for phase in playbook.phases:
        yield Entry(What.PHASE, phase.line, phase.title, box=phase.box, phase=phase.kind)
        for told in phase.instructions:
            what = What.ASKS if told.is_question else What.SAYS
            if what is What.SAYS and any(
                line == told.line and label.startswith(told.text[:40]) for line, label in inline
            ):
                continue  # the command in it says it already
            yield Entry(what, told.line, told.text, phase=phase.kind)


def _of_step(step: Step) -> Iterator[Entry]:
    about = step.label
    if step.kind in (StepKind.COMMAND, StepKind.REMOTE):
        for part in step.parts:
            says = part.comment or about
            if part.opens:
                yield Entry(What.OPENS, part.line, part.text, comment=says, step=step, part=part)
                continue
            why_not = "" if part.is_exact else "it holds what cannot be shown: nothing runs"
            yield Entry(
                What.TASK, part.line, part.text, comment=says, risk=part.assessment.risk,
                why=part.assessment.why, why_not=why_not, step=step, part=part,
            )  # fmt: skip
    elif step.kind is StepKind.QUERY:
        yield Entry(
            What.TASK, step.line, step.command, comment=about, risk=step.assessment.risk,
            why=step.assessment.why, why_not=_not_asked(step), step=step,
        )  # fmt: skip
    elif asked := _at_psql(step):
        line, text = asked
        judged = sql_risk(text)
        opener = step.parts[0]
        yield Entry(What.OPENS, opener.line, opener.text, comment=about, step=step, part=opener)
        yield Entry(
            What.TASK, line, text, comment=about, risk=judged.risk, why=judged.why,
            why_not=_not_own(judged), step=step,
        )  # fmt: skip
    else:
        why_not = _NOT_RUN[step.kind]
        yield Entry(What.TEXT, step.line, step.command, comment=about, why_not=why_not, step=step)


def takes_terminal(entry: Entry) -> bool:
    """Whether its command takes the whole terminal: an editor, `top`."""
    return entry.part is not None and manner(entry.part) is Manner.TERMINAL


_SQL: Final = frozenset({"sql", "psql", "pgsql", "postgresql", "postgres", "inline", ""})
"""What PostgreSQL may be asked; SQL that names no dialect is taken for it."""


def _not_asked(step: Step) -> str:
    """Why a query is not asked on warroom's own connection; empty when it is."""
    if step.language not in _SQL:
        whom = _ELSEWHERE.get(step.language, f"{step.language} itself")
        return f"warroom asks PostgreSQL alone by itself: c copies it for {whom}"
    return _not_own(step.assessment)


def _not_own(judged: Assessment) -> str:
    if judged.risk is Risk.READ:
        return ""
    return f"warroom's own connection only reads ({judged.why}): c copies it for your own psql"


_ELSEWHERE: Final = {
    "promql": "Prometheus' or Grafana's page", "logql": "Grafana's page",
    "mysql": "your own mysql prompt",
}  # fmt: skip
_LEAVES: Final = frozenset({"\\q", "\\quit", "exit", "quit"})


def _at_psql(step: Step) -> tuple[int, str] | None:
    """The statements that are typed at the prompt of the psql that the step opens first, and their
    line; None where it is anything else, or psql's own commands are among them."""
    opener = step.parts[0] if step.parts else None
    if opener is None or not opener.opens or not opener.programs or "\n" in opener.text:
        return None
    argv = unwrapped(opener.programs[-1].argv)
    before, found, typed = step.command.partition(f"{opener.text}\n")
    said = all(not line.strip() or line.lstrip().startswith("#") for line in before.split("\n"))
    if not argv or base_name(argv[0]) != "psql" or not found or not said:
        return None
    lines = typed.split("\n")
    while lines and (not lines[-1].strip() or lines[-1].strip().casefold() in _LEAVES):
        lines.pop()
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    text = "\n".join(lines[first:])
    own = any(line.lstrip().startswith("\\") for line in lines)
    return None if own or not looks_like_sql(text) else (opener.line + 1 + first, text)


# How far it is --------------------------------------------------------------------------------


class State(StrEnum):
    """How far a task is."""

    OPEN = ""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "UNKNOWN"
    MARKED = "marked done"
    SKIPPED = "skipped"
    ANSWERED = "answered"


_OUTCOMES: Final = {
    "": State.RUNNING, "done": State.DONE, "failed": State.FAILED, "UNKNOWN": State.UNKNOWN,
}  # fmt: skip
_MARKS: Final = {
    "done": State.MARKED, "skipped": State.SKIPPED, "answered": State.ANSWERED, "open": State.OPEN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """`words` is an exit code, a reason or an answer; `seq` the entry that says so; `tries` how
    often it was run."""

    state: State
    words: str = ""
    by: str = ""
    at: datetime | None = None
    seq: int = 0
    tries: int = 0


NOT_RUN: Final = Standing(State.OPEN)


def standings(events: Iterable[Event], requests: Requests) -> Mapping[str, Standing]:
    """How far each task is, by its key: the newest of its runs and marks decides."""
    found: dict[str, Standing] = {}
    for event in events:
        if event.kind is Kind.STEP:
            _marked(found, event)
        elif event.kind is Kind.REQUESTED and event.data.get("kind") in (KIND, READS):
            request = requests.get(event.seq)
            outcome = request.outcome if request else None
            state = request.state if request else ""
            if state != "refused":
                for key, standing in _runs(event, outcome, state):
                    tries = found.get(key, NOT_RUN).tries + 1
                    found[key] = Standing(*standing, event.author.login, event.at, event.seq, tries)
    return found


def _marked(found: dict[str, Standing], event: Event) -> None:
    key, mark = str(event.data.get("key", "")), str(event.data.get("mark", ""))
    if key and mark in _MARKS:
        why = str(event.data.get("why", ""))
        tries = found.get(key, NOT_RUN).tries
        found[key] = Standing(_MARKS[mark], why, event.author.login, event.at, event.seq, tries)


def _runs(
    event: Event, outcome: Event | None, state: str
) -> Iterator[tuple[str, tuple[State, str]]]:
    """The tasks that one request ran, each with how it ended."""
    context = _table(event.data.get("context"))
    if event.data.get("kind") == KIND:
        key = str(_table(context.get("step")).get("key", ""))
        yield key, (_OUTCOMES.get(state, State.UNKNOWN), _words(event, outcome))
        return
    evidence = _table(outcome.data.get("evidence")) if outcome else {}
    ended = {str(one.get("key")): one for one in map(_table, _list(evidence.get("steps")))}
    for one in map(_table, _list(context.get("steps"))):
        key = str(one.get("key", ""))
        if key in ended:
            how = _OUTCOMES.get(str(ended[key].get("state")), State.UNKNOWN)
            yield key, (how, str(ended[key].get("words", "")))
        elif outcome is None:
            yield key, (State.RUNNING, "")


def _words(request: Event, outcome: Event | None) -> str:
    """What its outcome says, without the title and the state before it."""
    if outcome is None:
        return ""
    before = f"{request.data.get('title', '')}: {outcome.data.get('state', '')}: "
    return outcome.text.removeprefix(before)


def filled(events: Sequence[Event]) -> Mapping[str, str]:
    """What placeholders were filled in with in this incident, the newest value of each."""
    found: dict[str, str] = {}
    for event in events:
        if event.kind is Kind.REQUESTED and event.data.get("kind") in (KIND, READS):
            context = _table(event.data.get("context"))
            for one in (context.get("step"), *_list(context.get("steps"))):
                values = _table(_table(one).get("filled"))
                found |= {str(name): str(value) for name, value in values.items()}
    return found


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
