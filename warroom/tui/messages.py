"""What has happened, for whoever shows it: one fact a message, past tense."""

from __future__ import annotations

from pathlib import Path

from textual.message import Message


class RoomFailed(Message):
    """The room could not be opened, and why; `damaged` is the journal's file, where that is it."""

    def __init__(self, reason: str, damaged: Path | None = None) -> None:
        self.reason, self.damaged = reason, damaged
        super().__init__()


class Sampled(Message):
    """A source was looked at."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__()


class IncidentChanged(Message):
    """The incident or its timeline is another than before."""
