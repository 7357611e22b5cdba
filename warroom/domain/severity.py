"""Severity schemes: the levels a team uses and what each promises.

"P1" is the second-worst level of one scheme and the worst of another, so a severity is never
written without its scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class SeverityLevel:
    """One level. `response_s` and `update_s` are seconds; None means no promise."""

    name: str
    label: str
    response_s: float | None
    update_s: float | None
    told: str = ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """Levels, worst first."""

    name: str
    levels: tuple[SeverityLevel, ...]

    def level(self, name: str) -> SeverityLevel:
        """The level called `name`, in any case. Raises KeyError, naming the levels there are."""
        for level in self.levels:
            if level.name.casefold() == name.casefold():
                return level
        raise KeyError(f"{name!r} is not a level of {self.name}: {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(level.name for level in self.levels)


# The response times are those that the published runbooks of these schemes agree on; a team's own
# stand in its config. Updates: the two worst levels every 15 and 30 minutes.
_P0_P3 = Scheme(
    "P0-P3",
    (
        SeverityLevel("P0", "Critical", 5 * MINUTE, 15 * MINUTE, "everyone"),
        SeverityLevel("P1", "High", 15 * MINUTE, 30 * MINUTE, "engineering and management"),
        SeverityLevel("P2", "Medium", HOUR, HOUR, "engineering"),
        SeverityLevel("P3", "Low", 4 * HOUR, None, "a ticket"),
    ),
)
_P1_P4 = Scheme(
    "P1-P4",
    (
        SeverityLevel("P1", "Critical", 15 * MINUTE, 15 * MINUTE, "all teams"),
        SeverityLevel("P2", "High", HOUR, 30 * MINUTE, "operations and platform"),
        SeverityLevel("P3", "Medium", 4 * HOUR, 2 * HOUR, "operations"),
        SeverityLevel("P4", "Low", DAY, None, "the assigned engineer"),
    ),
)
_SEV = Scheme(
    "SEV1-SEV4",
    (
        SeverityLevel("SEV1", "Complete outage", 15 * MINUTE, 15 * MINUTE, "everyone"),
        SeverityLevel("SEV2", "Major degradation", HOUR, 30 * MINUTE, "engineering, support"),
        SeverityLevel("SEV3", "Minor impact", 4 * HOUR, 2 * HOUR, "the team"),
        SeverityLevel("SEV4", "No user impact", DAY, None, "a ticket"),
    ),
)

SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {scheme.name: scheme for scheme in (_P0_P3, _P1_P4, _SEV)}
)
