"""Severity schemes: the levels a team uses and what each promises.

"P1" is the second-worst level of one scheme and the worst of another, so a severity is never
written without its scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from warroom.domain.incident import Role

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told, and how often: at least every `update_s` seconds."""

    name: str
    update_s: float


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of the escalation ladder: who is called when, for `after_s` seconds, nobody has
    acknowledged the incident or brought it on. The first is called at once (0)."""

    name: str
    contact: str = ""
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which live numbers on a level is suggested; any one does. None: not by that number.

    `errors` is the percentage of requests answered with 5xx, `latency_s` the slowest endpoint's
    answer in seconds, `endpoints_down` a percentage of the endpoints, `systems_down` how many
    other sources are down or critical.
    """

    errors: float | None = None
    latency_s: float | None = None
    endpoints_down: float | None = None
    systems_down: int | None = None


@dataclass(frozen=True, slots=True)
class SeverityLevel:
    """One level. `response_s`, `update_s` (to whomever) and `postmortem_s` (after the
    resolution) are seconds; None means no promise. `closers` are the roles that may close;
    anybody may when there are none. `ladder` rises."""

    name: str
    label: str
    response_s: float | None
    update_s: float | None
    told: str = ""
    audiences: tuple[Audience, ...] = ()
    closers: tuple[Role, ...] = ()
    postmortem_s: float | None = None
    ladder: tuple[Rung, ...] = ()
    suggest: Thresholds = Thresholds()


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

    def find(self, name: str) -> SeverityLevel | None:
        """The level called `name`, if there is one: an incident may be of another scheme."""
        return next((one for one in self.levels if one.name.casefold() == name.casefold()), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(level.name for level in self.levels)


# The times are those that published runbooks of these schemes name, and agree on where several
# do; a team's own stand in its config. Response: a table of severities in each. Updates: the two
# worst levels every 15 and 30 minutes, the status page every 30, or every 15 in a complete outage
# of the SEV scheme. Ladder: the on-call engineer at once, a senior engineer after 30 minutes (an
# hour at the second-worst level), the manager a quarter or half an hour later. Post-mortem: 48
# hours after the worst two levels, a week in the P1-P4 one. Errors above 5 % (10 % in P1-P4) and
# answers slower than 5 s are the second-worst level, 1 % and 2 s the one below. No runbook says
# who closes: the commander, where one is to be named. That half of the requests failing is the
# worst level is our own reading of "complete outage".
_WORST: Final = Thresholds(errors=50, endpoints_down=100)
_SECOND: Final = Thresholds(latency_s=5, endpoints_down=50, systems_down=1)
_THIRD: Final = Thresholds(errors=1, latency_s=2, endpoints_down=1)
_COMMANDER: Final = (Role.COMMANDER,)
_STATUS_PAGE: Final = "status page"


def _ladder(senior_s: float, manager_s: float) -> tuple[Rung, ...]:
    return (
        Rung("on-call engineer"),
        Rung("senior engineer", after_s=senior_s),
        Rung("engineering manager", after_s=manager_s),
    )


def _promising(
    scheme: Scheme, postmortem_s: float, page_s: tuple[float, float], errors: float
) -> Scheme:
    """`scheme` with what the built-in ones have in common."""
    first, second, third, *rest = scheme.levels
    worst = replace(
        first,
        audiences=(Audience(_STATUS_PAGE, page_s[0]),),
        closers=_COMMANDER,
        postmortem_s=postmortem_s,
        ladder=_ladder(30 * MINUTE, 45 * MINUTE),
        suggest=_WORST,
    )
    bad = replace(
        second,
        audiences=(Audience(_STATUS_PAGE, page_s[1]),),
        closers=_COMMANDER,
        postmortem_s=postmortem_s,
        ladder=_ladder(HOUR, 1.5 * HOUR),
        suggest=replace(_SECOND, errors=errors),
    )
    return replace(scheme, levels=(worst, bad, replace(third, suggest=_THIRD), *rest))


_P0_P3 = _promising(
    Scheme(
        "P0-P3",
        (
            SeverityLevel("P0", "Critical", 5 * MINUTE, 15 * MINUTE, "everyone"),
            SeverityLevel("P1", "High", 15 * MINUTE, 30 * MINUTE, "engineering and management"),
            SeverityLevel("P2", "Medium", HOUR, HOUR, "engineering"),
            SeverityLevel("P3", "Low", 4 * HOUR, None, "the team by ticket"),
        ),
    ),
    48 * HOUR,
    (30 * MINUTE, 30 * MINUTE),
    5.0,
)
_P1_P4 = _promising(
    Scheme(
        "P1-P4",
        (
            SeverityLevel("P1", "Critical", 15 * MINUTE, 15 * MINUTE, "all teams"),
            SeverityLevel("P2", "High", HOUR, 30 * MINUTE, "operations and platform"),
            SeverityLevel("P3", "Medium", 4 * HOUR, 2 * HOUR, "operations"),
            SeverityLevel("P4", "Low", DAY, None, "the assigned engineer"),
        ),
    ),
    7 * DAY,
    (30 * MINUTE, 30 * MINUTE),
    10.0,
)
_SEV = _promising(
    Scheme(
        "SEV1-SEV4",
        (
            SeverityLevel("SEV1", "Complete outage", 15 * MINUTE, 15 * MINUTE, "everyone"),
            SeverityLevel("SEV2", "Major degradation", HOUR, 30 * MINUTE, "engineering, support"),
            SeverityLevel("SEV3", "Minor impact", 4 * HOUR, 2 * HOUR, "the team"),
            SeverityLevel("SEV4", "No user impact", DAY, None, "the team by ticket"),
        ),
    ),
    48 * HOUR,
    (15 * MINUTE, 30 * MINUTE),
    5.0,
)

SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {scheme.name: scheme for scheme in (_P0_P3, _P1_P4, _SEV)}
)
