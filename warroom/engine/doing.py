"""What a console is about to do, as its sign of life says it to the others."""

from __future__ import annotations

import json
from collections.abc import Iterable

from warroom.domain.text import harmless, shorten
from warroom.journal.base import Presence
from warroom.mitigations.base import Card


def said(card: Card) -> str:
    """A card as a sign of life carries it."""
    return json.dumps([card.host, card.target.id, shorten(card.title, 100)])


def others(present: Iterable[Presence], own: str, card: Card) -> tuple[str, ...]:
    """Who else has a card open for the same target, in words. `own` is this console."""
    found = []
    for one in present:
        what = _read(one.doing)
        if one.console != own and what[:2] == [card.host, card.target.id]:
            where = f" from {one.author.origin}" if one.author.origin else ""
            who = harmless(f"{one.author.login}{where}")
            found.append(f"{who} has a card open for the same target: {harmless(what[2])}")
    return tuple(found)


def _read(doing: str) -> list[str]:
    """Host, target and title; empty when another version wrote something else."""
    try:
        what = json.loads(doing) if doing else []
    except ValueError:
        return []
    whole = isinstance(what, list) and len(what) == 3 and all(isinstance(w, str) for w in what)
    return what if whole else []
