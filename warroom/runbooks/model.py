"""What a runbook holds. Frozen; every line number counts from 1; every text is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from warroom.runbooks.shell import Program


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


class Risk(StrEnum):
    """What running something does; worse last."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"

    @property
    def rank(self) -> int:
        return list(Risk).index(self)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A risk, and what in the command makes it so."""

    risk: Risk
    why: str


@dataclass(frozen=True, slots=True)
class Part:
    """One command of a step: a pipeline or a loop, continuations and heredocs included.

    `text` is exactly what stands in the file, `comment` what the comment lines above it say,
    `programs` what runs, as far as reading tells.
    """

    line: int
    text: str
    comment: str
    assessment: Assessment
    programs: tuple[Program, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A fence, or inline code in an instruction (`language` is then "inline").

    `line` is where it starts. `parts` are its commands; none when it is not for running.
    """

    line: int
    language: str
    label: str
    command: str
    kind: StepKind
    assessment: Assessment
    placeholders: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def is_runnable(self) -> bool:
        return bool(self.parts) and self.kind in (StepKind.COMMAND, StepKind.REMOTE)


@dataclass(frozen=True, slots=True)
class Playbook:
    """A section with steps; `path` are the titles of the sections around it."""

    title: str
    line: int
    path: tuple[str, ...]
    steps: tuple[Step, ...]


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
    """Something dangerous or broken; the message says why, and the better form."""

    line: int
    rule: str
    level: LintLevel
    message: str


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

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step, in the order of the file."""
        return tuple(sorted((s for p in self.playbooks for s in p.steps), key=lambda s: s.line))
