"""What is kept of the figures around an incident, so that a report can draw their course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """The metrics of one source at one instant (UTC); units are those of its sample's metrics.

    Not part of the record: readings can be thinned out or lost without the timeline changing.
    """

    source: str
    at: datetime
    metrics: Mapping[str, float]
