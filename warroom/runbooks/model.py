"""What a runbook holds. Frozen; every line number counts from 1; every text is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from warroom.runbooks.shell import Program

HIDDEN: Final = "holds invisible control characters"
"""Why a command is of the worst risk, whatever it seems to say."""


class RunbookError(Exception):
    """A file that cannot be read as a runbook; the message is one plain line."""


class StepKind(StrEnum):
    """What a piece of code is to a responder."""

    COMMAND = "command"
    QUERY = "query"
    REMOTE = "remote"
    REPL = "repl"
    TEMPLATE = "template"
    OUTPUT = "output"
    CONFIG = "config"
    CODE = "code"


class Risk(StrEnum):
    """What running something does; worse last."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS: Final = {risk: rank for rank, risk in enumerate(Risk)}


@dataclass(frozen=True, slots=True)
class Assessment:
    """A risk, and what in the command makes it so."""

    risk: Risk
    why: str


@dataclass(frozen=True, slots=True)
class Part:
    """One command of a step: a pipeline or a loop, continuations and heredocs included; with
    what changes the shell for the commands below (`cd`, `export`), those belong to it, too.

    `text` is exactly what stands in the file, `comment` what the comment lines above it say,
    `programs` what runs, as far as reading tells. `within` are the words of the command that
    opens the place where it is typed (`ssh host`, `docker exec -it web bash`, `psql shop`); the
    part that does the opening is the one that `opens`. `is_exact`: whether `text` is a contiguous
    piece of the file; nothing else is ever run.
    """

    line: int
    text: str
    comment: str
    assessment: Assessment
    programs: tuple[Program, ...] = ()
    within: tuple[str, ...] = ()
    opens: bool = False
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """A fence, or inline code in an instruction (`language` is then "inline").

    `line` is where it starts. `parts` are its commands; none when it is not for running.
    `is_closed` is whether its fence ends before the text around it does: one that does not may
    have swallowed prose, so nothing in it runs.
    """

    line: int
    language: str
    label: str
    command: str
    kind: StepKind
    assessment: Assessment
    placeholders: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    is_closed: bool = True

    @property
    def runnable(self) -> tuple[Part, ...]:
        """The parts that can be run on their own: not what only opens a shell elsewhere, and not
        what does not stand in the file as it is shown."""
        if self.kind not in (StepKind.COMMAND, StepKind.REMOTE):
            return ()
        return tuple(part for part in self.parts if part.is_exact and not part.opens)

    @property
    def is_runnable(self) -> bool:
        return bool(self.runnable)


class PhaseKind(StrEnum):
    """What a part of a playbook is for."""

    SYMPTOMS = "symptoms"
    INVESTIGATION = "investigation"
    MITIGATION = "mitigation"
    VERIFICATION = "verification"
    COMMUNICATION = "communication"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class TimeBox:
    """From when to when, in seconds after the incident began."""

    starts_s: float
    ends_s: float


@dataclass(frozen=True, slots=True)
class Instruction:
    """A line of prose to follow, or to answer."""

    line: int
    text: str

    @property
    def is_question(self) -> bool:
        """Whether it asks for a decision: "Is it DNS?"."""
        return "?" in self.text


@dataclass(frozen=True, slots=True)
class Phase:
    """Symptoms, investigation, mitigation...: from its line up to (not with) `until`."""

    kind: PhaseKind
    title: str
    line: int
    until: int
    box: TimeBox | None = None
    instructions: tuple[Instruction, ...] = ()


@dataclass(frozen=True, slots=True)
class Playbook:
    """A section with steps or phases; `path` are the titles of the sections around it."""

    title: str
    line: int
    path: tuple[str, ...]
    steps: tuple[Step, ...]
    phases: tuple[Phase, ...] = ()
    box: TimeBox | None = None
    acts: bool = False
    """Whether anything in it changes a system."""
    verifies: bool = False
    """Whether it looks again after the last thing that changes something."""

    @property
    def symptoms(self) -> tuple[str, ...]:
        """How one knows that it is this incident."""
        return tuple(
            each.text
            for phase in self.phases
            if phase.kind is PhaseKind.SYMPTOMS
            for each in phase.instructions
        )

    @property
    def questions(self) -> tuple[Instruction, ...]:
        """What has to be decided."""
        return tuple(i for phase in self.phases for i in phase.instructions if i.is_question)

    @property
    def is_incident(self) -> bool:
        """Whether it is about one kind of incident: by its name, or by its symptoms."""
        named = self.title.casefold().startswith("playbook")
        return named or any(phase.kind is PhaseKind.SYMPTOMS for phase in self.phases)


@dataclass(frozen=True, slots=True)
class Remedy:
    """A row of a table: a symptom, where to look, and what to run or do."""

    line: int
    symptom: str
    check: str
    action: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Rung:
    """A level of the escalation ladder. `after_s` are seconds without progress, None when the
    file does not say."""

    line: int
    level: int
    who: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Where the file points. `is_broken`: into the file itself, at nothing; `nearest` is then the
    anchor that was probably meant."""

    line: int
    text: str
    target: str
    is_broken: bool = False
    nearest: str = ""

    @property
    def is_unfilled(self) -> bool:
        """Whether the host of the URL is a placeholder."""
        host = self.target.partition("://")[2].partition("/")[0]
        return any(mark in host for mark in "[]<>{}")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """When somebody last went through the file, and after how many days it is due again."""

    line: int
    on: date
    every_days: int


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Something to fill in: asked for once, whatever the number of steps that want it.

    `lines` are those of the steps; `offers` values that the file itself knows.
    """

    name: str
    lines: tuple[int, ...]
    offers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A task to tick."""

    line: int
    text: str
    done: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    title: str
    line: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text to fill in and send, or to write a post-mortem from."""

    title: str
    line: int
    text: str
    placeholders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """Who, how to reach them, and when, as the team wrote it."""

    line: int
    role: str
    reach: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class SchemeLevel:
    """A severity; `response_s` are seconds, None when the file promises none."""

    name: str
    label: str
    line: int
    response_s: float | None
    update_s: float | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class RunbookScheme:
    """A team's severities, worst first, named by the first and the last: `P0-P3`."""

    name: str
    levels: tuple[SchemeLevel, ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that the runbook's commands name, and the line of the first that does."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Discovered:
    """Systems that the commands speak of."""

    http: tuple[Sighting, ...] = ()
    logs: tuple[Sighting, ...] = ()
    containers: tuple[Sighting, ...] = ()
    hosts: tuple[Sighting, ...] = ()
    dns: tuple[Sighting, ...] = ()
    tls: tuple[Sighting, ...] = ()
    promql: tuple[Sighting, ...] = ()


class LintLevel(StrEnum):
    """How much a lint finding matters."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """Something dangerous or broken: `why` it is, and the `better` form, where there is one."""

    line: int
    rule: str
    level: LintLevel
    why: str
    better: str = ""

    @property
    def message(self) -> str:
        """Both, in one line."""
        return f"{self.why}; {self.better}" if self.better else self.why


@dataclass(frozen=True, slots=True)
class Runbook:
    """A file, understood."""

    title: str
    schemes: tuple[RunbookScheme, ...]
    playbooks: tuple[Playbook, ...]
    checklists: tuple[Checklist, ...]
    templates: tuple[Template, ...]
    contacts: tuple[Contact, ...]
    discovered: Discovered
    lint: tuple[LintFinding, ...]
    remedies: tuple[Remedy, ...] = ()
    ladder: tuple[Rung, ...] = ()
    links: tuple[Link, ...] = ()
    reviewed: Reviewed | None = None
    meta: tuple[tuple[str, str], ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step, in the order of the file."""
        return tuple(sorted((s for p in self.playbooks for s in p.steps), key=lambda s: s.line))
