"""One action for several rows: what acts on all of them, in the place of what acts on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from warroom.domain.sample import Row
from warroom.engine.running import Action
from warroom.engine.tiers import verb
from warroom.mitigations.base import MitigationRefused

BULK: Final = "bulk"
"""The kind of a system that takes a verb and several targets, as `docker.bulk`."""
_ID: Final = 12
"""Characters of a row's id that name it: as the docker CLI does."""


def takes_several(action: Action, offered: Sequence[Action]) -> Action | None:
    """What acts on several rows in the place of `action`; None where rows are acted on one by one,
    or the action is about no row at all."""
    system = action.spec.kind.partition(".")[0]
    bulk = next((a for a in offered if a.spec.kind == f"{system}.{BULK}"
                 and a.source == action.source and a.id.startswith("pane:")), None)  # fmt: skip
    return bulk if bulk is not None and (action.takes_row or action.id == bulk.id) else None


def several(action: Action, bulk: Action, rows: Sequence[Row]) -> tuple[Action, Mapping[str, str]]:
    """`bulk` as what `action` is to do to each of `rows`, and the answers that say so. A verb is
    only answered where `action` has one. Raises MitigationRefused for what takes one row."""
    answers = {"containers": " ".join(str(row.data.get("id", ""))[:_ID] for row in rows)}
    if action.id == bulk.id:
        return bulk, answers
    asked = next(one for one in bulk.spec.inputs if one.type == "choice")
    word = verb(action.spec.kind)
    if word not in asked.choices:
        raise MitigationRefused(f"{action.title} takes one row: esc takes the marks away")
    spec = replace(bulk.spec, moves=action.spec.moves, risk=action.spec.risk)
    return replace(bulk, spec=spec), {asked.name: word, **answers}
