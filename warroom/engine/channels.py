"""The channels of a config: each entry with its kind, its options shaped.

Their files are imported here and nowhere earlier, and only those of the kinds that are named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warroom.channels.base import ChannelSpec, spec
from warroom.config.entries import COMMON_CHANNEL
from warroom.config.problems import Problem, nearest
from warroom.config.registry import UnknownMember
from warroom.config.settings import ChannelEntry, Settings
from warroom.config.shape import shape


@dataclass(frozen=True, slots=True)
class ChannelMember:
    """A channel that can be created: `spec.create(options, context)`."""

    entry: ChannelEntry
    spec: ChannelSpec
    options: Any

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def audience(self) -> str:
        """Whom it tells."""
        return self.entry.audience or self.spec.audience


def channel_members(settings: Settings) -> tuple[tuple[ChannelMember, ...], list[Problem]]:
    """Every channel whose kind is known and whose options are right, and what is wrong."""
    problems: list[Problem] = []
    members = [_member(entry, problems) for entry in settings.channels]
    return tuple(member for member in members if member), problems


def _member(entry: ChannelEntry, problems: list[Problem]) -> ChannelMember | None:
    try:
        kind = spec(entry.kind)
    except UnknownMember as error:
        message = f'no channel is of kind "{entry.kind[:40]}"'
        problems.append(Problem((*entry.place, "kind"), message, nearest(entry.kind, error.names)))
        return None
    options: object | None = shape(
        kind.options, entry.options, entry.place, problems, also=COMMON_CHANNEL
    )
    return None if options is None else ChannelMember(entry, kind, options)
