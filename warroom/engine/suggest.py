"""Keeps what severity the live numbers speak for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from warroom.domain.sample import Health, Sample
from warroom.domain.severity import Scheme
from warroom.domain.suggestion import (
    Figures,
    Leaning,
    Source,
    Suggestion,
    figures_of,
    leaned,
    suggested,
)


class Suggesting:
    """`suggestion` is what is shown; `figures` is what it comes from."""

    def __init__(self) -> None:
        self._leaning, self._scheme = Leaning(), ""
        self.figures = Figures()

    @property
    def suggestion(self) -> Suggestion | None:
        """None when the numbers speak for no level."""
        return self._leaning.held

    def step(
        self,
        samples: Iterable[Sample],
        kind: Callable[[str], str],
        health: Callable[[str], Health],
        scheme: Scheme,
        now: datetime,
    ) -> None:
        """Look at the latest samples of every source."""
        if scheme.name != self._scheme:
            self._leaning, self._scheme = Leaning(), scheme.name
        self.figures = figures_of(
            Source(s.source, kind(s.source), health(s.source), s.metrics) for s in samples
        )
        fresh = suggested(self.figures, scheme)
        self._leaning = leaned(self._leaning, fresh, scheme, now)
