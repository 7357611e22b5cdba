"""Figures around an incident, for tests of what is drawn from them."""

from __future__ import annotations

import math

from tests.unit.chains import Chain
from warroom.domain.readings import Reading


def course_of(chain: Chain) -> tuple[Reading, ...]:
    """Every 30 s from 80 minutes before the beginning to 60 after: `waiting` and `p95_ms` move,
    `steady` does not, `commits` only counts. The site was not looked at for ten minutes."""
    found = []
    for number in range(-160, 120):
        minute = number / 2
        ripple = math.sin(number)
        waiting = 20.0 + ripple if -6 < minute < 14 else 1.0 + ripple
        figures = {"waiting": waiting, "steady": 5 + ripple, "commits": 1000.0 + number}
        found.append(Reading("postgres", chain.minute(minute), figures))
        if not 20 < minute < 30:
            p95 = 900.0 if -3 < minute < 15 else 120.0
            found.append(Reading("web <b>", chain.minute(minute), {"p95_ms": p95 + ripple}))
    return tuple(found)
