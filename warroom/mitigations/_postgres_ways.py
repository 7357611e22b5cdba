"""How many backends are ended at once: what is looked for, compared, sent, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from warroom.config.inputs import Input
from warroom.config.values import Line, Seconds, Secret
from warroom.mitigations._postgres_crowd import Backend, pids
from warroom.mitigations.base import Risk

Step = Literal["cancel", "terminate"]

LEAST_S: Final = 1.0
_NOTHING: Final = Line("")
LONGER_THAN: Final = Input("longer_than", "longer than", type="duration", default="5m")


@dataclass(frozen=True, slots=True)
class CrowdOptions:
    """`dsn`: any PostgreSQL URL, or where it is kept. Its role must own the backends' roles or have
    pg_signal_backend. `longer_than` is asked for when it is not given; `database`, `user` and
    `application_name` are exact; `superusers`: sessions of superusers, too."""

    dsn: Secret
    longer_than: Seconds | None = None
    database: Line = _NOTHING
    user: Line = _NOTHING
    application_name: Line = _NOTHING
    superusers: bool = False

    def __post_init__(self) -> None:
        if self.longer_than is not None and self.longer_than < LEAST_S:
            raise ValueError("longer_than: at least a second: who is at work changes all the time")


@dataclass(frozen=True, slots=True)
class BlockersOptions:
    """`dsn`: as of CrowdOptions."""

    dsn: Secret


@dataclass(frozen=True, slots=True)
class Way:
    """`state` is what `crowd.sql` looks for; `mark` the column that is compared again, and
    `statement` the file that does it. `steps` are tried one after the other on those that stand."""

    name: str
    title: str
    state: Literal["active", "idle", ""]
    mark: Literal["state_change", "query_start", "xact_start"]
    statement: str
    steps: tuple[Step, ...]
    only_if: str
    risk: Risk
    moves: tuple[tuple[str, str], ...]

    @property
    def words(self) -> str:
        return {"active": "active", "idle": "idle in a transaction"}.get(self.state, "")


_WAITING: Final = (("waiting", "down"), ("blocked", "down"))
IDLE: Final = Way(
    "terminate_idle",
    "Terminate idle in transaction",
    "idle",
    "state_change",
    "signal_idle",
    ("terminate",),
    "only who has been idle in that transaction without a break since it was shown",
    Risk.DESTROY,
    (*_WAITING, ("idle_in_transaction", "down"), ("connections_percent", "down")),
)
CANCEL: Final = Way(
    "cancel_active",
    "Cancel long queries",
    "active",
    "query_start",
    "signal_active",
    ("cancel",),
    "only who still runs the very query that was shown",
    Risk.CHANGE,
    (*_WAITING, ("active", "down"), ("longest_query_s", "down")),
)
ACTIVE: Final = Way(
    "terminate_active",
    "Terminate long queries",
    "active",
    "query_start",
    "signal_active",
    ("cancel", "terminate"),
    CANCEL.only_if,
    Risk.DESTROY,
    CANCEL.moves,
)
BLOCKERS: Final = Way(
    "terminate_blockers",
    "Terminate blockers",
    "",
    "xact_start",
    "signal_blockers",
    ("cancel", "terminate"),
    "only who still is in that transaction and at the root of what the selected one waits for",
    Risk.DESTROY,
    _WAITING,
)


@dataclass
class Tally:
    """What became of the backends of a card, as far as it is known. `asked`: signals were sent, or
    may have been."""

    asked: bool = False
    cancelled: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    standing: list[int] = field(default_factory=list)
    spared: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [
            f"{len(numbers):,} {word}: pid {pids(numbers)}"
            for word, numbers in (
                ("ended", self.ended),
                ("cancelled", self.cancelled),
                ("still there", self.standing),
            )
            if numbers
        ]
        if self.spared:
            parts.append(f"{len(self.spared):,} spared: {_by_reason(self.spared)}")
        return "; ".join(parts)

    @property
    def evidence(self) -> dict[str, Any]:
        """Every pid, for the record."""
        return {
            "ended": self.ended,
            "cancelled": self.cancelled,
            "spared": {str(pid): reason for pid, reason in self.spared.items()},
        }


def _by_reason(spared: Mapping[int, str]) -> str:
    grouped: dict[str, list[int]] = {}
    for pid, reason in spared.items():
        grouped.setdefault(reason, []).append(pid)
    return ", ".join(f"pid {pids(numbers)} {reason}" for reason, numbers in grouped.items())


def why_spared(way: Way, backend: Backend, now: Mapping[str, Any] | None) -> str:
    """Why a backend that was shown was not signalled, by what it does `now` (of `states.sql`)."""
    if now is None:
        return "had gone"
    if way.state == "":
        moved = now["xact_start"] != backend.mark
        return "was in another transaction" if moved else "stood in nobody's way any more"
    if way.state == "idle" and now["state"] != "active" and now["xact_start"] is None:
        return "had ended its transaction"
    return "had gone on working" if way.state == "idle" else "had ended that query"


def of_pids(backends: Iterable[Backend], numbers: Iterable[int]) -> list[Backend]:
    """Those of the pids."""
    wanted = set(numbers)
    return [one for one in backends if one.pid in wanted]
