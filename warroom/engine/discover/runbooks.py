"""What teams' runbooks name, as a config: for `warroom init --from-runbook`.

Pure: nothing is asked of any system. Every entry says which lines it came from; what there is no
probe for, and what names no system, is said too. No command is repeated whole: it may hold a
password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from warroom.engine.discover import commands
from warroom.engine.discover.findings import Discovery, plain_name
from warroom.engine.discover.places import Gathered, Place
from warroom.engine.discover.severities import chosen, own_schemes
from warroom.runbooks.model import Part, Runbook
from warroom.runbooks.shell import Program
from warroom.runbooks.unwrap import base_name, layers, operands

_SSH_VALUES: Final = tuple(f"-{letter}" for letter in "BbcDEeFIiJLlmOopQRSWw")
_EXEC_VALUES: Final = ("-u", "--user", "-w", "--workdir", "-e", "--env", "--env-file", "--index")
_TARGET: Final = re.compile(r"(?:[A-Za-z0-9_.-]+@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_VENDOR: Final = re.compile(r"(?:^|\.)status\.|^status|statuspage\.io$|\.instatus\.com$")


def from_runbooks(runbooks: Mapping[str, Runbook], paths: tuple[str, ...] = ()) -> Discovery:
    """What the runbooks, by the names that people know their files by, speak of. `paths` are how
    the config is to name the files."""
    gathered = Gathered()
    for file, runbook in runbooks.items():
        for step in runbook.steps:
            for part in step.parts:
                _part(gathered, file, part)
        _prose(gathered, file, runbook)
    found = gathered.discovery(chosen(runbooks), paths)
    return replace(found, schemes=tuple(own_schemes(runbooks)))


def sighted(part: Part, program: Program) -> Discovery:
    """What one program of a part speaks of."""
    gathered = Gathered()
    _program(gathered, "", part, program)
    return gathered.discovery("", ())


def _part(gathered: Gathered, file: str, part: Part) -> None:
    for program in part.programs:
        _program(gathered, file, part, program)


def _program(gathered: Gathered, file: str, part: Part, program: Program) -> None:
    place = _inside(gathered, Place(file, part.line + program.line), part.within)
    for argv, inner in _layers(program):
        place = _inside(gathered, place, argv)
        if not inner and not part.opens:
            commands.take(gathered, place, argv, program)


def _layers(program: Program) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Each program on the way in, and whether there is another one within."""
    found = [argv for argv in layers(program.argv) if argv]
    if len(found) > 1 and " " in found[-1][0]:  # ssh host 'df -h; free -m': words of a shell
        from warroom.runbooks.shell import commands as listed

        *outer, last = found
        yield from ((argv, True) for argv in outer)
        for command in listed(" ".join(last)):
            yield from ((inner.argv, False) for inner in command.programs if inner.argv)
        return
    for index, argv in enumerate(found):
        yield argv, index < len(found) - 1


def _inside(gathered: Gathered, place: Place, argv: tuple[str, ...]) -> Place:
    """Where what this opens is: on a host, in a container; else the same place."""
    name = base_name(argv[0]) if argv else ""
    if name == "ssh":
        target = next(iter(operands(argv[1:], *_SSH_VALUES)), "")
        if _TARGET.fullmatch(target):
            host = gathered.host(target, place)
            return Place(place.file, place.line, host, place.container)
        gathered.missing("host", "its name is not filled in: [hosts.NAME] ssh =", place)
    if name in ("docker", "podman") and "exec" in argv[1:3]:
        words = argv[argv.index("exec") + 1 :]
        container = next(iter(operands(words, *_EXEC_VALUES)), "")
        if "compose" not in argv[1:2] and commands.is_name(container):
            commands.docker(gathered, place, container)
            return Place(place.file, place.line, place.host, container)
        return Place(place.file, place.line, place.host, container or "?")
    return place


def _prose(gathered: Gathered, file: str, runbook: Runbook) -> None:
    """Queries of Prometheus, and pages that are linked."""
    for query in runbook.discovered.promql:
        why = f"no probe for it yet: {query.text}"
        gathered.missing("prometheus", why, Place(file, query.line))
    for link in runbook.links:
        place = Place(file, link.line)
        host = _host(link.target)
        if _VENDOR.search(host):
            gathered.missing(f"status page {host}", "no strip for vendors yet", place)
        elif host and link.is_unfilled:
            gathered.missing(f"link {link.target}", "its address is not filled in", place)
        elif host and commands.holds_secret(link.target):
            gathered.missing(f"link to {host}", "its address holds a secret", place)
        elif host and commands.is_plain(link.target):
            table = {"kind": "http", "name": plain_name(host), "url": link.target}
            says = "a page that is linked"
            gathered.put(("http", link.target), place, "probe", table, says, is_offer=True)


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        named = parts.hostname if parts.scheme in ("http", "https") else ""
    except ValueError:
        return url.partition("://")[2].partition("/")[0]
    return named or ""
