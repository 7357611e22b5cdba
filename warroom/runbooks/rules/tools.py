"""Sub-commands and options that the tool's current version does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from warroom.runbooks.model import LintFinding, LintLevel, Step
from warroom.runbooks.rules import catalogue as rule
from warroom.runbooks.rules import tables
from warroom.runbooks.unwrap import base_name, layers

_PLAIN: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
_OWN_ARGUMENTS: Final = frozenset({"exec", "run", "debug"})
"""Sub-commands behind which another program's options stand."""
_Wrong = tuple[rule.Rule, str, str]
"""A rule, why, and the better form."""


def of_step(step: Step) -> Iterator[LintFinding]:
    for part in step.parts:
        for program in part.programs:
            for argv in layers(program.argv):
                name = base_name(argv[0])
                plugins = name in tables.TOOLS and tables.TOOLS[name].plugins
                for found, why, better in _wrong(name, argv):
                    level = None
                    if plugins and found is rule.NO_SUCH_COMMAND:
                        level, why = LintLevel.WARN, f"{why}, unless a plugin adds it"
                    yield found.at(part.line + program.line, why, better, level)


def _wrong(name: str, argv: Sequence[str]) -> Iterator[_Wrong]:
    if name == "docker-compose":
        why = "docker-compose is Compose 1, which has had no updates since July 2023"
        yield rule.RETIRED, why, f"docker compose {' '.join(argv[1:3])}".rstrip()
    if name in tables.TOOLS:
        yield from _of_tool(name, tables.TOOLS[name], argv[1:])
    if name == "doctl":
        yield from _doctl(argv[1:])
    elif name == "psql":
        yield from _letters(name, argv[1:], tables.PSQL_LETTERS, tables.PSQL_VALUED)
        yield from _long(name, argv[1:], tables.PSQL_OPTIONS, tables.PSQL_SOURCE)
    elif name in ("redis-cli", "valkey-cli"):
        yield from _redis(name, argv[1:])
    elif name == "nginx":
        yield from _nginx(argv[1:])


def _of_tool(name: str, tool: tables.Tool, words: Sequence[str]) -> Iterator[_Wrong]:
    path, rest = _path(name, tool, words)
    if not path:
        return
    above, key = "", ""
    for word in path:
        known = tool.commands.get(above if above else "")
        if known is not None and word not in known and _PLAIN.fullmatch(word):
            said = " ".join(filter(None, (name, above)))
            better = tool.instead.get(f"{above} {word}".strip(), "")
            yield rule.NO_SUCH_COMMAND, f"{said} has no {word} ({tool.source})", better
            return
        above = word if not above else f"{above} {word}"
        key = above if above in tool.options else key
    if key and not set(path) & _OWN_ARGUMENTS:
        for option in _options(rest):
            if option not in tool.options[key] | tool.globals:
                why = f"{name} {key} has no {option} ({tool.source})"
                yield rule.NO_SUCH_OPTION, why, tool.instead.get(f"{key} {option}", "")


def _path(
    name: str, tool: tables.Tool, words: Sequence[str]
) -> tuple[tuple[str, ...], Sequence[str]]:
    """The sub-command's words, at most two and by their usual name, and what follows them."""
    aliases = tables.ALIASES.get(name, {})
    path: list[str] = []
    index = 0
    while index < len(words) and len(path) < 2:
        word = words[index]
        if word.startswith("-"):
            index += 2 if word in tool.valued else 1
            continue
        word = aliases.get(word, word)
        if path and path[0] not in tool.commands:
            break
        path.append(word)
        index += 1
    return tuple(path), words[_after(words, len(path)) :]


def _after(words: Sequence[str], count: int) -> int:
    """Where the words behind the first `count` operands begin; options between them count too."""
    return 0 if count else len(words)


def _options(words: Sequence[str]) -> Iterator[str]:
    """Options as tables write them: `--tail=50` → `--tail`, `-fn100` → `-f`."""
    for word in words:
        if word == "--":
            return
        if word.startswith("--"):
            yield word.partition("=")[0]
        elif len(word) > 1 and word[0] == "-" and word[1].isalpha():
            yield word[:2]


def _doctl(words: Sequence[str]) -> Iterator[_Wrong]:
    source = tables.DOCTL.source
    if "--format" in words and "json" in words:
        why = f"doctl's --format names columns, json is none ({source})"
        yield rule.NO_SUCH_OPTION, why, "--output json"
    if len(words) > 2 and words[1] in ("backups", "bu") and words[0] != "compute":
        if words[2] == "restore":
            yield (
                rule.NO_SUCH_COMMAND,
                f"doctl databases backups only lists ({source})",
                "restore into a new cluster: doctl databases fork NAME "
                "--restore-from-cluster-id ID",
            )
        elif words[2] == "list":
            why = f"doctl databases backups takes the cluster itself, not list ({source})"
            yield rule.NO_SUCH_COMMAND, why, "doctl databases backups ID"


def _letters(
    name: str, words: Sequence[str], letters: frozenset[str], valued: frozenset[str]
) -> Iterator[_Wrong]:
    """Clusters of one-letter options: `-Atc`; behind one that takes a value stands the value."""
    skip = False
    for word in words:
        if skip:
            skip = False
            continue
        if len(word) < 2 or word[0] != "-" or word[1] == "-":
            continue
        for index, letter in enumerate(word[1:], 1):
            if letter not in letters:
                why = f"{name} has no -{letter} ({tables.PSQL_SOURCE})"
                yield rule.NO_SUCH_OPTION, why, ""
                break
            if letter in valued:
                skip = index == len(word) - 1
                break


def _long(name: str, words: Sequence[str], known: frozenset[str], source: str) -> Iterator[_Wrong]:
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--") and option != "--" and option not in known:
            yield rule.NO_SUCH_OPTION, f"{name} has no {option} ({source})", ""


def _redis(name: str, words: Sequence[str]) -> Iterator[_Wrong]:
    index = 0
    while index < len(words) and words[index].startswith("-"):
        word = words[index]
        if word not in tables.REDIS_OPTIONS and word[:2] not in tables.REDIS_VALUED:
            why = f"{name} has no {word} ({tables.REDIS_SOURCE})"
            yield rule.NO_SUCH_OPTION, why, ""
        index += 2 if word in tables.REDIS_VALUED else 1


def _nginx(words: Sequence[str]) -> Iterator[_Wrong]:
    for index, word in enumerate(words):
        if word == "-s" and index + 1 < len(words):
            signal = words[index + 1]
            if _PLAIN.fullmatch(signal) and signal not in tables.NGINX_SIGNALS:
                why = f"nginx -s knows no {signal} ({tables.NGINX_SOURCE})"
                better = {"restart": "nginx -t && nginx -s reload"}.get(signal, "")
                yield rule.NO_SUCH_OPTION, why, better
        elif word[:1] == "-" and word[1:2] not in tables.NGINX_LETTERS:
            why = f"nginx has no {word} ({tables.NGINX_SOURCE})"
            yield rule.NO_SUCH_OPTION, why, ""
