"""What discovery hands over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from warroom.domain.text import harmless, shorten

Section = Literal["probe", "log", "mitigation", "search"]
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A system, as the entry of a config: its `[[section]]` and keys. `why` says what told of it;
    with `is_offer` it is written as a comment, for people to take up. `notes` say of keys of a
    table within it where they come from."""

    section: Section
    table: Mapping[str, Any]
    why: str
    is_offer: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FoundHost:
    """A machine that is reached over SSH: `[hosts.NAME]`."""

    name: str
    ssh: str
    why: str


@dataclass(frozen=True, slots=True)
class FoundLevel:
    """A severity of a team's own scheme: its keys in `[[schemes.NAME.levels]]`, and where the
    runbook says so."""

    table: Mapping[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class FoundScheme:
    """Severities that warroom does not come with, worst first: `[schemes.NAME]`."""

    name: str
    levels: tuple[FoundLevel, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not here or could not be used; `why` ends with what to do, where there
    is something to do."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """All that was found, in the order of the panes, and what was not.

    Only runbooks, which then are named, give hosts, a scheme (empty: they have none), schemes of
    their own and what could not be placed.
    """

    found: tuple[Found, ...]
    missing: tuple[Missing, ...]
    hosts: tuple[FoundHost, ...] = ()
    unplaced: tuple[Missing, ...] = ()
    scheme: str = ""
    runbooks: tuple[str, ...] = ()
    schemes: tuple[FoundScheme, ...] = ()


Look = list[Found | Missing]
"""What one looker brings home."""


def plain_name(text: str) -> str:
    """`text` as a name for a pane: letters, digits and `_.-`, at most 40 of them.

    >>> plain_name("shop api/1")
    'shop-api-1'
    """
    return shorten(_NOT_PLAIN.sub("-", harmless(text)).strip("-"), 40).rstrip("…-") or "unnamed"


def named_apart(found: list[Found]) -> list[Found]:
    """Two of one name in a section: the later one gets a number."""
    seen: set[tuple[str, str]] = set()
    apart = []
    for thing in found:
        name = first = str(thing.table.get("name") or thing.table.get("kind", ""))
        number = 1
        while (thing.section, name) in seen and thing.section != "mitigation":
            number += 1
            name = f"{first}-{number}"
        seen.add((thing.section, name))
        renamed = thing if name == first else replace(thing, table={**thing.table, "name": name})
        apart.append(renamed)
    return apart
