"""What has happened, for whoever shows it: one fact a message, past tense."""

from __future__ import annotations

from textual.message import Message


class RoomFailed(Message):
    """The room could not be opened, and why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__()


class Sampled(Message):
    """A source was looked at."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__()


class IncidentChanged(Message):
    """The incident or its timeline is another than before."""
