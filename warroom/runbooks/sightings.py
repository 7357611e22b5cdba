"""The systems that a runbook's commands speak of, each with its first line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from warroom.domain.text import harmless
from warroom.runbooks.model import Discovered, Sighting, Step, StepKind
from warroom.runbooks.outline import ListItem, Paragraph, Section, code_spans
from warroom.runbooks.shell import Program
from warroom.runbooks.unwrap import base_name, operands, unwrapped

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9_.-]+@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+")
_READS_FILES: Final = frozenset({"tail", "cat", "less", "grep", "zgrep", "head", "awk"})
_Found = tuple[str, str]


def discovered(steps: Iterable[Step], sections: Iterable[Section]) -> Discovered:
    """What the steps' commands name, and PromQL that the prose quotes."""
    found: dict[str, dict[str, int]] = {}
    for step in steps:
        for part in step.parts:
            for program in part.programs:
                for kind, text in _of_program(program):
                    found.setdefault(kind, {}).setdefault(harmless(text), part.line + program.line)
        if step.kind is StepKind.QUERY and step.language == "promql":
            found.setdefault("promql", {}).setdefault(step.command, step.line)
    for line, query in _quoted_queries(sections):
        found.setdefault("promql", {}).setdefault(harmless(query), line)
    return Discovered(
        **{
            kind: tuple(Sighting(text, line) for text, line in texts.items())
            for kind, texts in found.items()
        }
    )


def _of_program(program: Program) -> Iterator[_Found]:
    yield from _containers(program.argv)
    argv = program.argv[1:] if program.argv[:1] == ("sudo",) else program.argv
    if argv[:1] == ("ssh",):
        given = operands(argv[1:], "-i", "-p", "-l", "-J", "-o", "-F")
        if given and _HOST.fullmatch(given[0]):
            yield "hosts", given[0]
    inner = unwrapped(argv)
    if not inner:
        return
    name = base_name(inner[0])
    if name in ("curl", "wget", "http", "httpie", "watch"):
        yield from _urls(inner)
    elif name in ("dig", "nslookup", "host"):
        yield from (("dns", word) for word in operands(inner[1:]) if _DOMAIN.fullmatch(word))
    elif name == "openssl" and "-connect" in inner[:-1]:
        yield "tls", inner[inner.index("-connect") + 1]
    elif name in _READS_FILES and inner == argv:  # inside a container it is no file of this host
        yield from (("logs", word) for word in inner[1:] if _is_log(word))


def _urls(argv: Sequence[str]) -> Iterator[_Found]:
    looks_at_tls = any(re.fullmatch(r"-[a-zA-Z]*v[a-zA-Z]*", word) for word in argv)
    for word in (piece for argument in argv[1:] for piece in argument.split()):
        if word.startswith(("http://", "https://")) and "<" not in word:
            address = _address(word)
            if address and "$" not in word:
                yield "http", word.rstrip("\"';,")
                if looks_at_tls and word.startswith("https:"):
                    yield "tls", address


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or 443}" if parts.hostname else ""
    except ValueError:
        return ""


def _containers(argv: Sequence[str]) -> Iterator[_Found]:
    if argv[:1] not in [("docker",), ("podman",)] or len(argv) < 3:
        return
    if argv[1] in ("logs", "exec", "restart", "stop", "start", "inspect", "stats", "top", "kill"):
        values = ("-u", "-w", "-e", "--tail", "-n", "--since", "--until", "-t", "--time")
        given = operands(argv[2:], *values)
        wanted = given[:1] if argv[1] == "exec" else given
        yield from (("containers", name) for name in wanted if _NAME.fullmatch(name))


def _is_log(word: str) -> bool:
    return word.startswith("/") and (word.startswith("/var/log/") or word.endswith(".log"))


def _quoted_queries(sections: Iterable[Section]) -> Iterator[tuple[int, str]]:
    """`Query: `up{job="web"}`` in a list about Prometheus."""
    for section in sections:
        for block in section.blocks:
            if isinstance(block, (ListItem, Paragraph)) and "query" in block.text.casefold():
                for span in code_spans(block.text):
                    if re.search(r"[a-z_:]+\{|\b(?:rate|sum|avg|increase)\(", span):
                        yield block.line, span
