"""A channel as a room would make it, and a message for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from warroom.channels.base import Channel, ChannelContext, Message, Progress, Stage, spec
from warroom.config.problems import Problem
from warroom.config.shape import shape
from warroom.domain.clock import SystemClock
from warroom.domain.incident import Status
from warroom.hosts.local import LocalHost

MESSAGE: Final = Message(
    id="01999999-aaaa-7bbb-8ccc-000000000001",
    incident="INC-2026-11-21-001",
    origin="01999999-aaaa-7bbb-8ccc-00000000abcd",
    title="Checkout answers 502",
    severity="P1",
    scheme="P0-P3",
    rank=1,
    levels=4,
    status=Status.INVESTIGATING,
    stage=Stage.INITIAL,
    audience="chat",
    text="Checkout answers 502.\nWe are looking into it.",
)


def message(**changes: Any) -> Message:
    return replace(MESSAGE, **changes)


def channel(
    kind: str, options: Mapping[str, Any], *, limit: float = 5.0, attempt: float = 2.0
) -> Channel:
    """The channel that these options of a config make. `limit` and `attempt` are seconds."""
    problems: list[Problem] = []
    found = spec(kind)
    shaped = shape(found.options, options, ("channel", 0), problems)
    assert shaped is not None, problems
    context = ChannelContext(kind, LocalHost(), SystemClock(), limit, attempt)
    return found.create(shaped, context)


class Seen:
    """Everything that was told of a delivery while it went on."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        self.progress.append(progress)

    @property
    def texts(self) -> list[str]:
        return [progress.text for progress in self.progress]
