"""What an incident found out about the team's runbooks: its record, and the books as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warroom.domain.events import Kind

if TYPE_CHECKING:
    from warroom.domain.events import Event
    from warroom.domain.sample import Sample
    from warroom.engine.session import Session
    from warroom.engine.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Learned:
    """A line for each gap, and a patch with the edits that would close them; both may be empty."""

    lines: tuple[str, ...] = ()
    patch: str = ""


NOTHING: Final = Learned()


def learned(session: Session, shelf: Shelf | None, samples: Iterable[Sample] = ()) -> Learned:
    """Every gap that the session's incident found in the books of `shelf`; `samples` tell what
    containers are called now. Raises NoIncident."""
    if shelf is None or not shelf.books or not any(map(_is_of_step, session.events)):
        return NOTHING
    from warroom.domain.requests import Requests
    from warroom.engine.proposals import Told, patch, proposals

    timeline, events = session.timeline(), session.events
    labels: dict[int, str] = {}
    for exhibit in timeline.exhibits:
        labels.setdefault(exhibit.entry, exhibit.label)
    told = Told(timeline.incident.id, events, Requests(events), labels, _containers(samples))
    made = proposals(shelf.books, told)
    lines = tuple(
        f"{one.place}, {one.playbook}: {one.why}{'' if one.edits else ' (no edit is proposed)'}"
        for one in made
    )
    has_edits = any(one.edits for one in made)
    return Learned(lines, patch(made, timeline.incident.id) if has_edits else "")


def _is_of_step(event: Event) -> bool:
    return event.kind is Kind.STEP or (
        event.kind is Kind.REQUESTED and str(event.data.get("kind", "")).startswith("runbook.")
    )


def _containers(samples: Iterable[Sample]) -> tuple[str, ...]:
    """Only a table of containers says how often each was restarted."""
    return tuple(
        row.name
        for sample in samples
        if any(column.key == "restarts" for column in sample.columns)
        for row in sample.rows
    )
