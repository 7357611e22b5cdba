"""A fence, or inline code in an instruction → a step."""

from __future__ import annotations

import re
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.model import Assessment, Part, Risk, Step, StepKind
from warroom.runbooks.outline import Fence, repaired
from warroom.runbooks.placeholders import placeholders
from warroom.runbooks.risk import KNOWN, command_risk
from warroom.runbooks.shell import Command, commands
from warroom.runbooks.sql import looks_like_sql, sql_risk
from warroom.runbooks.unwrap import operands

SHELLS: Final = frozenset(
    {"bash", "sh", "shell", "zsh", "console", "terminal", "shell-session", "shellsession", "ksh"}
)
_QUERIES: Final = frozenset({"sql", "psql", "pgsql", "postgresql", "mysql", "promql", "logql"})
_TEXTS: Final = frozenset({"markdown", "md", "text", "txt", "email", "slack"})
_OUTPUTS: Final = frozenset({"output", "log", "logs", "mermaid", "plantuml", "dot", "ascii"})
_PROMPT: Final = re.compile(r"(?:[\w.-]+@[\w.-]+[:\w~/.-]*)?[$%] (?=\S)|# (?=\S)")
_DOLLAR: Final = re.compile(r"(?:[\w.-]+@[\w.-]+[:\w~/.-]*)?[$%#] (?=\S)")
_REPLS: Final = frozenset({"psql", "mysql", "mariadb", "redis-cli", "python", "python3", "mongosh"})
_SENT: Final = (
    "template", "post in", "message", "notification", "update", "announce", "notify", "vorlage",
    "channel", "e-mail", "email", "modèle", "plantilla", "communication",
)  # fmt: skip
HIDDEN: Final = "holds invisible control characters"
_NOT_RUN: Final = Assessment(Risk.READ, "not for running")


def fence_step(fence: Fence, title: str) -> Step:
    """The step that `fence` is, under headings that say `title`."""
    kind, listed = _classified(fence, title)
    prose = kind in (StepKind.TEMPLATE, StepKind.OUTPUT, StepKind.CONFIG)
    content = shown(repaired(fence.content) if prose else fence.content)
    parts = tuple(_part(command, fence.content_line) for command in listed)
    assessment = max(
        (part.assessment for part in parts),
        key=lambda found: found.risk.rank,
        default=sql_risk(fence.content) if kind is StepKind.QUERY else _NOT_RUN,
    )
    return Step(
        line=fence.line,
        language=harmless(fence.language),
        label=harmless(fence.label),
        command=content.rstrip("\n"),
        kind=kind,
        assessment=assessment,
        placeholders=placeholders(content, prose=prose),
        parts=parts,
    )


def inline_step(text: str, line: int, label: str) -> Step | None:
    """The step that a code span is; None when it is a name, a path or a value."""
    query = looks_like_sql(text)
    listed = [] if query or not _is_command(text) else commands(text)
    if not query and not listed:
        return None
    parts = tuple(_part(command, line) for command in listed)
    return Step(
        line=line,
        language="inline",
        label=harmless(label),
        command=shown(text),
        kind=StepKind.QUERY if query else StepKind.COMMAND,
        assessment=parts[0].assessment if parts else sql_risk(text),
        placeholders=placeholders(shown(text)),
        parts=parts,
    )


def shown(text: str) -> str:
    """`text` harmless, its lines and tabs kept: a tab within a heredoc means something."""
    return "\t".join(harmless(piece, lines=True) for piece in text.split("\t"))


def _classified(fence: Fence, title: str) -> tuple[StepKind, list[Command]]:
    language = fence.language
    if language in SHELLS:
        return _shell_kind(fence.content)
    if language in _QUERIES:
        return StepKind.QUERY, []
    if language in _TEXTS:
        return StepKind.TEMPLATE, []
    if language in _OUTPUTS:
        return StepKind.OUTPUT, []
    return (StepKind.CONFIG, []) if language else _unmarked(fence, title)


def _unmarked(fence: Fence, title: str) -> tuple[StepKind, list[Command]]:
    """A fence that does not say what it holds."""
    lines = [line for line in fence.content.splitlines() if line.strip()]
    about = f"{title} {fence.label}".casefold()
    if lines and all(_DOLLAR.match(line) or _is_command(line) for line in lines):
        return _shell_kind(fence.content)
    if looks_like_sql(fence.content) and ";" in fence.content:
        return StepKind.QUERY, []
    if any(word in about for word in _SENT) or placeholders(fence.content, prose=True):
        return StepKind.TEMPLATE, []
    return StepKind.OUTPUT, []


def _shell_kind(content: str) -> tuple[StepKind, list[Command]]:
    lines = [line for line in content.splitlines() if line.strip()]
    typed = [bool(_PROMPT.match(line)) for line in lines if not line.startswith("#")]
    if any(typed):
        if not all(typed):
            return StepKind.OUTPUT, []  # a transcript: what was typed, and what came back
        return StepKind.COMMAND, commands(_without_prompts(content))
    listed = commands(content)
    first = listed[0].programs[-1].argv if listed else ()
    if len(listed) > 1 and _opens(first):
        return (StepKind.REMOTE if first[0] in ("ssh", "docker") else StepKind.REPL), listed
    return StepKind.COMMAND, listed


def _without_prompts(content: str) -> str:
    return "\n".join(_DOLLAR.sub("", line, count=1) for line in content.split("\n"))


def _opens(argv: tuple[str, ...]) -> bool:
    """Whether what follows is typed into what this opens: `ssh host`, `docker exec -it x bash`,
    `psql shop`."""
    if not argv:
        return False
    if argv[0] == "ssh":
        return len(operands(argv[1:], "-i", "-p", "-l", "-J", "-o", "-F")) == 1
    if argv[0] == "docker":
        return argv[1:2] == ("exec",) and argv[-1].rpartition("/")[2] in ("sh", "bash")
    has_query = any(word.startswith(("-c", "-e", "-f", "--")) for word in argv[1:])
    verbs_given = argv[0] == "redis-cli" and operands(argv[1:], "-h", "-p", "-a", "-u", "-n")
    return argv[0] in _REPLS and not has_query and not verbs_given


def _is_command(text: str) -> bool:
    """Whether the first word is a program that is known here, and a second one follows it."""
    first, *rest = [*text.strip().split(None, 2), ""]
    name = first.rpartition("/")[2]
    known = name in KNOWN or (first.startswith("./") and name.endswith(".sh"))
    return known and bool(rest and rest[0])


def _part(command: Command, first_line: int) -> Part:
    return Part(
        line=first_line + command.line,
        text=shown(command.text),
        comment=harmless(command.comment),
        assessment=_safe(command),
        programs=command.programs,
    )


def _safe(command: Command) -> Assessment:
    """Control characters in a command are never innocent."""
    if shown(command.text) != command.text:
        return Assessment(Risk.DESTROY, HIDDEN)
    found = command_risk(command)
    return Assessment(found.risk, harmless(found.why))
