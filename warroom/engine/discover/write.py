"""A discovery as a commented config, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.config.load import parse
from warroom.config.settings import ConsoleSettings, JournalSettings
from warroom.config.shape import doc
from warroom.domain.text import harmless
from warroom.engine.discover.findings import Discovery, Found
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


def to_toml(discovery: Discovery) -> str:
    """The config. What was found stands live, offers and examples as comments, what is missing
    with its reason. It has been read back: it loads, with every option known."""
    import tomlkit
    from tomlkit.items import AoT

    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    document.add("incident", _incident())
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


def _incident() -> Table:
    import tomlkit

    table = tomlkit.table()
    for key, value, says in (
        ("scheme", "P0-P3", "or P1-P4, SEV1-SEV4, or one of your own under [schemes.NAME]"),
        ("timezone", "UTC", 'shown beside UTC, such as "Europe/Berlin"'),
    ):
        table.add(key, tomlkit.item(value).comment(says))
    return table


def _entry(thing: Found) -> Table:
    import tomlkit

    table = tomlkit.table()
    table.add(tomlkit.comment(harmless(thing.why)))
    for key, value in thing.table.items():
        table.add(key, value)
    return table


def _remarks(discovery: Discovery) -> str:
    lines = []
    offers = [thing for thing in discovery.found if thing.is_offer]
    if offers:
        lines += ["", "# Found too; take the marks away to use them"]
    for thing in offers:
        lines += ["#", *_commented(_offered(thing))]
    if discovery.missing:
        lines += ["", "# Not found, or not usable"]
        lines += [f"#   {harmless(m.what)}: {harmless(m.why)}" for m in discovery.missing]
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
    lines = [f"found      {_what(thing):<28}  {harmless(thing.why)}" for thing in discovery.found]
    lines += [f"not found  {harmless(m.what):<28}  {harmless(m.why)}" for m in discovery.missing]
    return "\n".join(lines)


def _what(thing: Found) -> str:
    kind = str(thing.table.get("kind", thing.section))
    name = str(thing.table.get("name", ""))
    return harmless(f"{kind} {name}".strip())
