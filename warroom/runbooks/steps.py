"""A fence, or inline code in an instruction → a step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.model import Assessment, Part, Risk, Step, StepKind
from warroom.runbooks.outline import Fence, repaired
from warroom.runbooks.parts import joined, lasts, part_of, shown
from warroom.runbooks.placeholders import placeholders
from warroom.runbooks.risk import KNOWN
from warroom.runbooks.shell import Command, commands
from warroom.runbooks.sql import looks_like_sql, sql_risk
from warroom.runbooks.unwrap import operands, unwrapped
from warroom.runbooks.verbs import word_set

SHELLS: Final = frozenset(
    {"bash", "sh", "shell", "zsh", "console", "terminal", "shell-session", "shellsession", "ksh"}
)
_QUERIES: Final = frozenset(
    {
        "sql",
        "psql",
        "pgsql",
        "postgresql",
        "postgres",
        "plpgsql",
        "mysql",
        "promql",
        "logql",
        "redis",
    }
)
_CODES: Final = word_set("""
    python py python3 pycon js javascript ts typescript jsx tsx go golang java kotlin ruby rb php
    rust rs c cpp csharp cs perl lua r scala swift powershell ps1 pwsh bat cmd batch fish csh tcsh
    nu diff patch graphql groovy elixir html css
""")
"""Languages that bash does not speak."""
_TEXTS: Final = frozenset({"markdown", "md", "text", "txt", "email", "slack"})
_OUTPUTS: Final = frozenset({"output", "log", "logs", "mermaid", "plantuml", "dot", "ascii"})
_PROMPT: Final = re.compile(
    r"(?:(?:\[[\w.@:~/ -]{1,80}\]|[\w.-]{1,40}@[\w.-]{1,80}[:\w~/.-]{0,80} ?)[$%#]|[$%❯➜]) (?=\S)"
)
"""What a shell says before what is typed; a lone `#` is a comment."""
_REPL_PROMPT: Final = re.compile(
    r"(?:>>>|(?:mysql|mariadb|redis|sqlite|mongosh?|test|irb|iex)(?:\([^)\n]{0,60}\))?>"
    r"|[\w.-]{1,60}:[0-9]{2,5}(?:\[[0-9]{1,3}\])?>|MariaDB \[[^\]\n]{1,60}\]>"
    r"|\w{1,60}[=-][#>]) (?=\S)"
)
"""What Python, MySQL, SQLite, Redis and psql say."""
_PRINTED: Final = re.compile(
    r"[A-Z][A-Z /()%]{1,40}(?: {2,}|\t)[A-Z]|HTTP/[0-9.]+ [0-9]{3}|\([0-9]+ rows?\)$"
    r"|[+|][-+| =]{3,}|(?:PONG|OK|Error:|ERROR:|WARNING:|Traceback|total [0-9]+$)"
    r"|Filesystem\s+(?:1K|Size)"
)
"""How output begins: headings of columns, a status line, the frame or the end of a table."""
_NESTED: Final = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
"""A fence within a fence: what it holds is shown, not run."""
_REPLS: Final = frozenset({"psql", "mysql", "mariadb", "redis-cli", "python", "python3", "mongosh"})
_SENT: Final = (
    "template", "post in", "message", "notification", "update", "announce", "notify", "vorlage",
    "channel", "e-mail", "email", "modèle", "plantilla", "communication",
)  # fmt: skip
_NOT_RUN: Final = Assessment(Risk.READ, "not for running")


def fence_step(fence: Fence, title: str) -> Step:
    """The step that `fence` is, under headings that say `title`."""
    kind, parts = _classified(fence, title)
    prose = kind in (StepKind.TEMPLATE, StepKind.OUTPUT, StepKind.CONFIG)
    content = shown(repaired(fence.content) if prose else fence.content)
    assessment = max(
        (part.assessment for part in parts),
        key=lambda found: found.risk.rank,
        default=_query_risk(fence) if kind is StepKind.QUERY else _NOT_RUN,
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
        is_closed=fence.is_closed,
    )


def inline_step(text: str, line: int, label: str) -> Step | None:
    """The step that a code span is; None when it is a name, a path or a value."""
    query = looks_like_sql(text)
    listed = [] if query or not _is_command(text) else commands(text)
    if not query and not listed:
        return None
    if any(not command.is_whole for command in listed):
        return None
    parts = tuple(part_of(command, line) for command in listed)
    return Step(
        line=line,
        language="inline",
        label=label,
        command=shown(text),
        kind=StepKind.QUERY if query else StepKind.COMMAND,
        assessment=parts[0].assessment if parts else sql_risk(text),
        placeholders=placeholders(shown(text)),
        parts=parts,
    )


def _query_risk(fence: Fence) -> Assessment:
    if fence.language in ("promql", "logql"):
        return Assessment(Risk.READ, f"{fence.language} only reads")
    return sql_risk(fence.content)


_Kind = tuple[StepKind, tuple[Part, ...]]


def _classified(fence: Fence, title: str) -> _Kind:
    language = fence.language
    if not fence.is_closed:
        return StepKind.OUTPUT, ()  # prose may follow: none of it is to run
    if language in SHELLS:
        return _shell_kind(fence)
    if language in _QUERIES:
        typed = any(_REPL_PROMPT.match(line) for line in fence.content.split("\n"))
        return StepKind.REPL if typed or language == "redis" else StepKind.QUERY, ()
    if language in _TEXTS:
        return StepKind.TEMPLATE, ()
    if language in _OUTPUTS:
        return StepKind.OUTPUT, ()
    if language in _CODES:
        return StepKind.CODE, ()
    return (StepKind.CONFIG, ()) if language else _unmarked(fence, title)


def _unmarked(fence: Fence, title: str) -> _Kind:
    """A fence that does not say what it holds."""
    content = fence.content
    lines = [line for line in content.splitlines() if line.strip()]
    about = f"{title} {fence.label}".casefold()
    if lines and _all_commands(content):
        return _shell_kind(fence)
    if any(_REPL_PROMPT.match(line) for line in lines):
        return StepKind.REPL, ()
    if looks_like_sql(content) and ";" in content:
        return StepKind.QUERY, ()
    if any(word in about for word in _SENT) or placeholders(content, prose=True):
        return StepKind.TEMPLATE, ()
    return StepKind.OUTPUT, ()


def _all_commands(content: str) -> bool:
    begun = _first_lines(commands(content))
    return bool(begun) and all(_PROMPT.match(line) or _is_command(line) for line in begun)


def _first_lines(listed: Sequence[Command]) -> list[str]:
    """What begins each command: the line of a prompt, if there is one."""
    return [command.text.partition("\n")[0] for command in listed]


def _shell_kind(fence: Fence) -> _Kind:
    """Commands with their parts, or what only looks so: a transcript, another program's prompt."""
    content, line = fence.content, fence.content_line
    listed = commands(content)
    begun = _first_lines(listed)
    typed = [bool(_PROMPT.match(text)) for text in begun]
    if any(_REPL_PROMPT.match(text) for text in begun):
        return StepKind.REPL, ()
    if any(not c.is_whole or _PRINTED.match(c.text) for c in listed) or _NESTED.search(content):
        return StepKind.OUTPUT, ()
    if any(typed):
        return _prompted(content, line) if all(typed) else (StepKind.OUTPUT, ())
    return _placed(content, listed, line)


def _placed(content: str, listed: Sequence[Command], line: int) -> _Kind:
    """The commands, each with the place that it is typed in: what follows `ssh host` is for that
    host, until `exit`."""
    kind, parts, start = StepKind.COMMAND, list[Part](), 0
    for index, command in enumerate(listed[:-1]):
        within = _last_argv(command)
        if index < start or _is_fed(command) or not _opens(within):
            continue
        end = index + 1
        while end < len(listed) and _last_argv(listed[end])[:1] not in (("exit",), ("logout",)):
            end += 1
        doors = [
            replace(part_of(listed[i], line), opens=True) for i in (index, end) if i < len(listed)
        ]
        inner = joined(content, listed[index + 1 : end], line)
        parts += [*joined(content, listed[start:index], line), doors[0]]
        parts += [*(replace(part, within=within) for part in inner), *doors[1:]]
        is_remote = _is_remote(within) and kind is not StepKind.REPL and not _prompts(within)
        kind, start = StepKind.REMOTE if is_remote else StepKind.REPL, end + 1
    return kind, (*parts, *joined(content, listed[start:], line))


def _is_fed(command: Command) -> bool:
    """Whether what it starts reads from a file, a heredoc or a pipe, and not what is typed next."""
    last = command.programs[-1:]
    return any(one.after == "|" or any(r.op[:1] == "<" for r in one.redirects) for one in last)


def _last_argv(command: Command) -> tuple[str, ...]:
    return command.programs[-1].argv if command.programs else ()


def _prompted(content: str, first_line: int) -> _Kind:
    """Every line has a prompt. Each has to be a command by itself, or it would not stand in the
    file as it would run."""
    parts: list[Part] = []
    text = "\n".join(_PROMPT.sub("", line, count=1) for line in content.split("\n"))
    listed = commands(text)
    for command in listed:
        spans = any(not row.endswith("\\") for row in command.text.split("\n")[:-1])
        if spans or not command.is_whole or lasts(command):
            return StepKind.OUTPUT, ()
        parts.append(part_of(command, first_line))
    return StepKind.COMMAND, tuple(parts)


def _is_remote(argv: tuple[str, ...]) -> bool:
    return argv[0] in ("ssh", "docker", "kubectl")


def _opens(argv: tuple[str, ...]) -> bool:
    """Whether what follows is typed into what this opens: `ssh host`, `docker exec -it x bash`,
    `psql shop`."""
    if not argv:
        return False
    if argv[0] == "ssh":
        return len(operands(argv[1:], "-i", "-p", "-l", "-J", "-o", "-F")) == 1
    if argv[0] in ("docker", "kubectl"):
        shell = argv[-1].rpartition("/")[2] in ("sh", "bash")
        return "exec" in argv[1:3] and (shell or _prompts(unwrapped(argv)))
    return _prompts(argv)


def _prompts(argv: tuple[str, ...]) -> bool:
    """Whether a program that is started with this, also in a container, asks what to do."""
    argv = unwrapped(argv)
    if not argv:
        return False
    has_query = any(word.startswith(("-c", "-e", "-f", "--")) for word in argv[1:])
    verbs_given = argv[0] == "redis-cli" and operands(argv[1:], "-h", "-p", "-a", "-u", "-n")
    return argv[0] in _REPLS and not has_query and not verbs_given


def _is_command(text: str) -> bool:
    """Whether the first word is a program that is known here, and a second one follows it."""
    first, *rest = [*text.strip().split(None, 2), ""]
    name = first.rpartition("/")[2]
    known = name in KNOWN or (first.startswith("./") and name.endswith(".sh"))
    return known and bool(rest and rest[0])
