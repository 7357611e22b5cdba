"""Values that are known already for what a runbook wants filled in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from warroom.domain.text import harmless

if TYPE_CHECKING:
    from warroom.engine.room import Room
    from warroom.engine.shelf import Book

MOST: Final = 9


def offers(room: Room, book: Book, name: str) -> tuple[str, ...]:
    """Values for the placeholder `name`: what the file itself knows, then what the room does, the
    likeliest first. Never a secret: those are not asked for here."""
    from warroom.runbooks.asked import asked

    known = next((one.offers for one in asked(book.runbook) if one.name == name), ())
    found = [value for value in (*_dates(room, name), *known, *_named(room, name)) if value]
    printable = (value for value in found if value.isprintable() and value == harmless(value))
    return tuple(dict.fromkeys(printable))[:MOST]


def _dates(room: Room, name: str) -> Iterator[str]:
    """`YYYY-MM-DD` is today; with a number behind it, it is the incident."""
    now = room.session.now()
    if "YYYY" in name:
        incident = room.session.incident
        if name.endswith("NNN") and incident:
            found = re.search(r"\d{4}-\d{2}-\d{2}-\d{3}", incident.id)
            yield found[0] if found else f"{now:%Y-%m-%d}-001"
        yield f"{now:%Y-%m-%d}" if "-" in name else f"{now:%Y%m%d}"
    elif name.startswith("HH:MM"):
        yield f"{now:%H:%M:%S}" if name.endswith("SS") else f"{now:%H:%M}"


def _named(room: Room, name: str) -> Iterator[str]:
    """What the config and the panes call things of that sort."""
    words = set(re.split(r"[^a-z]+", name.casefold()))
    settings = room.settings
    if words & {"container", "service", "component", "app", "name", "db", "database"}:
        for source, latest in room.monitor.latest.items():
            if room.monitor.kind(source) == "docker":
                yield from (row.name for row in latest.rows)
    if words & {"host", "server", "node"}:
        yield from (host.ssh.rpartition("@")[2] for host in settings.hosts.values())
    if words & {"url", "endpoint"}:
        yield from (str(one.options.get("url", "")) for one in settings.probes)
    if words & {"incident", "id"} and "incident" in words and room.session.incident:
        yield room.session.incident.id
    if words & {"user", "name"} and "your" in words:
        yield room.session.author.login
    own = os.environ.get(re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_"), "")
    yield own
