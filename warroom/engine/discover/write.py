"""A discovery as a commented config, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.config.load import parse
from warroom.config.settings import ConsoleSettings, JournalSettings
from warroom.config.shape import doc
from warroom.domain.text import harmless
from warroom.engine.discover.findings import Discovery, Found, FoundHost, FoundScheme
from warroom.engine.members import settled

if TYPE_CHECKING:
    from tomlkit.items import Table

_HEAD: Final = (
    "warroom's config, written by `warroom init` from what is on this machine.",
    "No secret belongs in it: name where one is, as env:NAME, file:PATH or command:ARGV.",
    "This file can make warroom run commands: keep it writable by you alone.",
)
_EXAMPLES: Final = """\
[[mitigation]]
key = "r"
kind = "docker.restart"
title = "Restart api"
container = "shop-api"

[hosts.web1]
ssh = "deploy@web1"

[[probe]]
kind = "http"
name = "shop"
url = "https://shop.example/health"
every = "5s"
"""
_TITLES: Final = {
    "probe": "What is looked at",
    "log": "What is followed",
    "mitigation": "What can be done",
}


_FROM_RUNBOOKS: Final = (
    "warroom's config, written by `warroom init --from-runbook`; FILE:LINE says what named it.",
    "Nothing has been asked of any system: see what answers with `warroom check`.",
    *_HEAD[1:],
)


def to_toml(discovery: Discovery) -> str:
    """The config. What was found stands live, offers and examples as comments, what is missing
    with its reason. It has been read back: it loads, with every option known."""
    import tomlkit
    from tomlkit.items import AoT

    document = tomlkit.document()
    for line in _FROM_RUNBOOKS if discovery.runbooks else _HEAD:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    document.add("incident", _incident(discovery))
    if discovery.schemes:
        document.add(tomlkit.nl())
        document.add("schemes", _schemes(discovery.schemes))
    if discovery.hosts:
        document.add(tomlkit.nl())
        document.add("hosts", _hosts(discovery.hosts))
    for section, title in _TITLES.items():
        live = [thing for thing in discovery.found if thing.section == section]
        entries = [_entry(thing) for thing in live if not thing.is_offer]
        if entries:
            document.add(tomlkit.nl())
            document.add(tomlkit.comment(title))
            document.add(section, AoT(entries))
    text = _escaped(tomlkit.dumps(document).rstrip("\n") + "\n" + _remarks(discovery))
    settled(parse(text, Path("warroom.toml")))
    return text


def _escaped(text: str) -> str:
    """TOML's own escapes for what a terminal obeys: tomlkit writes C1 and bidi controls as they
    are. Comments are harmless already, so what is left stands in strings."""
    if harmless(text, lines=True) == text:
        return text
    return "".join(
        char if char == "\n" or harmless(char) == char else f"\\U{ord(char):08X}" for char in text
    )


def _hosts(hosts: Iterable[FoundHost]) -> Table:
    import tomlkit

    tables = tomlkit.table(is_super_table=True)
    for host in hosts:
        table = tomlkit.table()
        table.add(tomlkit.comment(harmless(host.why)))
        table.add("ssh", host.ssh)
        tables.add(host.name, table)
    return tables


def _schemes(schemes: Iterable[FoundScheme]) -> Table:
    """Each level with the line that promises it."""
    import tomlkit
    from tomlkit.items import AoT

    tables = tomlkit.table(is_super_table=True)
    for scheme in schemes:
        levels = []
        for level in scheme.levels:
            table = tomlkit.table()
            table.add(tomlkit.comment(harmless(level.why)))
            for key, value in level.table.items():
                table.add(key, value)
            levels.append(table)
        one = tomlkit.table(is_super_table=True)
        one.add("levels", AoT(levels))
        tables.add(scheme.name, one)
    return tables


def _incident(discovery: Discovery) -> Table:
    import tomlkit

    table = tomlkit.table()
    if discovery.runbooks:
        table.add("runbooks", list(discovery.runbooks))
    for key, value, says in (
        (
            "scheme",
            discovery.scheme or "P0-P3",
            "or P1-P4, SEV1-SEV4, or one of your own under [schemes.NAME]",
        ),
        ("timezone", "UTC", 'shown beside UTC, such as "Europe/Berlin"'),
    ):
        table.add(key, tomlkit.item(value).comment(says))
    return table


def _entry(thing: Found) -> Table:
    import tomlkit

    table = tomlkit.table()
    table.add(tomlkit.comment(harmless(thing.why)))
    for key, value in thing.table.items():
        table.add(key, _noted(value, thing.notes) if key == "queries" else value)
    return table


def _noted(queries: Mapping[str, str], notes: Mapping[str, str]) -> Table:
    """Queries with the line that each came from."""
    import tomlkit

    table = tomlkit.table()
    for name, sql in queries.items():
        table.add(name, tomlkit.item(sql).comment(harmless(notes.get(name, ""))))
    return table


def _remarks(discovery: Discovery) -> str:
    lines = []
    offers = [thing for thing in discovery.found if thing.is_offer]
    if offers:
        lines += ["", "# Found too; take the marks away to use them"]
    for thing in offers:
        lines += ["#", *_commented(_offered(thing))]
    if discovery.missing:
        told = "# Named, and not looked at" if discovery.runbooks else "# Not found, or not usable"
        lines += ["", told]
        lines += [f"#   {harmless(m.what)}: {harmless(m.why)}" for m in discovery.missing]
    if discovery.unplaced:
        lines += ["", "# What could not be placed: it names no system to look at"]
        lines += [f"#   {harmless(m.what)}: {harmless(m.why)}" for m in discovery.unplaced]
    lines += ["", "# Examples", *_commented(_EXAMPLES.splitlines())]
    for section, cls in (("console", ConsoleSettings), ("journal", JournalSettings)):
        lines += ["#", *_commented([f"[{section}]", *_defaults(cls)])]
    return "\n".join(lines) + "\n"


def _defaults(cls: type) -> Iterator[str]:
    """Every key with its default and what the settings say about it."""
    import tomlkit

    settings = cls()
    for field in fields(cls):
        default = getattr(settings, field.name)
        value = tomlkit.item("" if default is None else default)
        written = "{}" if isinstance(value, dict) else value.as_string()
        yield f"{field.name} = {written}   # {doc(field)}"


def _offered(thing: Found) -> list[str]:
    import tomlkit

    pairs = [f"{key} = {tomlkit.item(value).as_string()}" for key, value in thing.table.items()]
    return [f"[[{thing.section}]]   # {harmless(thing.why)}", *pairs]


def _commented(lines: Iterable[str]) -> list[str]:
    return [f"# {line}".rstrip() for line in lines]


def report(discovery: Discovery) -> str:
    """A line for each thing: found or not, what, and why. Harmless text."""
    lines = [
        f"{'offered' if thing.is_offer else 'found':<9}  {_what(thing):<28}  {harmless(thing.why)}"
        for thing in discovery.found
    ]
    word = "no look " if discovery.runbooks else "not found"
    lines += [f"{word:<9}  {harmless(m.what):<28}  {harmless(m.why)}" for m in discovery.missing]
    lines += [f"unplaced   {harmless(m.what):<28}  {harmless(m.why)}" for m in discovery.unplaced]
    return "\n".join(lines)


def _what(thing: Found) -> str:
    kind = str(thing.table.get("kind", thing.section))
    name = str(thing.table.get("name", ""))
    return harmless(f"{kind} {name}".strip())
