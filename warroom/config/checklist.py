"""`[incident] checklist`: plain texts, or tables that say when an item ticks itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from warroom.config.problems import Problem, nearest
from warroom.config.values import Line
from warroom.domain.checklist import Item, Phase, items_of
from warroom.domain.conditions import parsed


@dataclass(frozen=True, slots=True)
class ItemSettings:
    """One item: `{ text = "...", phase = "verify", when = "api ok" }`."""

    text: Line = field(metadata={"doc": "what to do"})
    phase: Phase = Phase.ASSESS
    when: Line = field(
        default=Line(""), metadata={"doc": 'ticks itself then: "api ok", "commander named"'}
    )

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("text: an item without words cannot be ticked")
        if self.when:
            try:
                parsed(self.when)
            except ValueError as error:
                raise ValueError(f"when: {error}") from error


def items(checklist: Iterable[Line | ItemSettings]) -> tuple[Item, ...]:
    """The items as the domain knows them, in order."""
    made: list[Item] = []
    for said in checklist:
        if isinstance(said, ItemSettings):
            made.append(Item(said.text, said.phase, said.text, said.when))
        else:
            made += items_of([said])
    return tuple(made)


def check_sources(
    checklist: Iterable[Line | ItemSettings], sources: Sequence[str], problems: list[Problem]
) -> None:
    """An item may wait only for a source that there is."""
    for index, said in enumerate(checklist):
        if not isinstance(said, ItemSettings) or not said.when:
            continue
        condition = parsed(said.when)
        if condition.kind == "source ok" and condition.about not in ("", *sources):
            message = f'no probe is called "{condition.about[:40]}"'
            hint = nearest(condition.about, sources)
            problems.append(Problem(("incident", "checklist", index, "when"), message, hint))
