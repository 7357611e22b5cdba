"""`[schemes.NAME]`: a team's own severities, with everything that they promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from warroom.config.values import NAME_WIDTH, Line, Name, Seconds
from warroom.domain.incident import Role
from warroom.domain.severity import Audience, Rung, Scheme, SeverityLevel, Thresholds

_NOTHING: Final = Line("")


def _doc(text: str) -> dict[str, str]:
    return {"doc": text}


@dataclass(frozen=True, slots=True)
class RungSettings:
    """A level of the escalation ladder."""

    name: Name = field(metadata=_doc('whom to call: "senior engineer"'))
    contact: Line = _NOTHING
    after: Seconds = field(
        default=Seconds(0.0), metadata=_doc("without progress; 0 for who is called at once")
    )


@dataclass(frozen=True, slots=True)
class SuggestSettings:
    """From which live numbers on the level is suggested; any one does."""

    errors: float | None = field(default=None, metadata=_doc("percent of requests, 5xx"))
    latency: Seconds | None = field(default=None, metadata=_doc("of the slowest endpoint"))
    endpoints_down: float | None = field(default=None, metadata=_doc("percent of the endpoints"))
    systems_down: int | None = field(default=None, metadata=_doc("other sources, how many"))

    def __post_init__(self) -> None:
        for key in ("errors", "endpoints_down"):
            share = getattr(self, key)
            if share is not None and not 0 < share <= 100:
                raise ValueError(f"{key}: {share:g} is no percentage: above 0, up to 100")
        if self.latency is not None and self.latency <= 0:
            raise ValueError("latency: above 0 s")
        if self.systems_down is not None and self.systems_down < 1:
            raise ValueError("systems_down: at least 1")


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """A level under `[schemes.NAME]`."""

    name: Name = field(metadata=_doc('what it is called: "P1"'))
    label: Line = _NOTHING
    response: Seconds | None = None
    update: Seconds | None = None
    told: Line = _NOTHING
    audiences: Mapping[str, Seconds] = field(
        default_factory=dict, metadata=_doc('each with its cadence: { "status page" = "30m" }')
    )
    close: tuple[Role, ...] | None = field(
        default=None, metadata=_doc("roles that may close; anybody when there are none")
    )
    postmortem: Seconds | None = field(default=None, metadata=_doc("due after the resolution"))
    escalation: tuple[RungSettings, ...] | None = None
    suggest: SuggestSettings = field(default_factory=SuggestSettings)

    def __post_init__(self) -> None:
        if self.update is not None and self.update < 1:
            raise ValueError("update: a cadence is at least 1 s")
        for name, every in self.audiences.items():
            if not name.isprintable() or not name.strip() or len(name) > NAME_WIDTH:
                raise ValueError(
                    f"audiences: an audience's name has 1 to {NAME_WIDTH} printable characters"
                )
            if every < 1:
                raise ValueError(f'audiences: the cadence of "{name}" is at least 1 s')
        _rises(self.escalation or ())


@dataclass(frozen=True, slots=True)
class SchemeSettings:
    """`[schemes.NAME]`: levels, worst first. What stands here holds for each level that does not
    say otherwise."""

    levels: tuple[LevelSettings, ...] = field(
        metadata=_doc('levels = [{ name = "P1", response = "15m" }, ...], worst first')
    )
    close: tuple[Role, ...] = ()
    postmortem: Seconds | None = None
    escalation: tuple[RungSettings, ...] = ()

    def __post_init__(self) -> None:
        names = [level.name.casefold() for level in self.levels]
        if not names:
            raise ValueError("levels: a scheme has at least one level")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f'levels: two levels are called "{twice}"')
        _rises(self.escalation)


def _rises(ladder: tuple[RungSettings, ...]) -> None:
    """Refuses a level that would be called no later than the one before it."""
    for before, after in pairwise(ladder):
        if after.after <= before.after:
            raise ValueError(
                f'escalation: "{after.name}" is called after {after.after:g} s, '
                f'and "{before.name}" before it after {before.after:g} s'
            )


def scheme_from(name: str, settings: SchemeSettings) -> Scheme:
    """A team's own scheme as the domain knows it."""
    return Scheme(name, tuple(_level(level, settings) for level in settings.levels))


def _level(level: LevelSettings, scheme: SchemeSettings) -> SeverityLevel:
    said = level.suggest
    ladder = scheme.escalation if level.escalation is None else level.escalation
    return SeverityLevel(
        name=level.name,
        label=level.label,
        response_s=level.response,
        update_s=level.update,
        told=level.told,
        audiences=tuple(Audience(who, every) for who, every in level.audiences.items()),
        closers=scheme.close if level.close is None else level.close,
        postmortem_s=scheme.postmortem if level.postmortem is None else level.postmortem,
        ladder=tuple(Rung(rung.name, rung.contact, rung.after) for rung in ladder),
        suggest=Thresholds(said.errors, said.latency, said.endpoints_down, said.systems_down),
    )
