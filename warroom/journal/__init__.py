"""The append-only event store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from warroom.config.settings import Settings
    from warroom.domain.clock import Clock
    from warroom.journal.base import Journal


def default_path() -> Path:
    """`warroom/journal.db` in the user's state folder ($XDG_STATE_HOME, ~/.local/state)."""
    from platformdirs import user_state_path

    return user_state_path("warroom") / "journal.db"


def path_for(settings: Settings) -> Path:
    """Where the config says, a relative path seen from the config's folder; else the default."""
    from pathlib import Path

    if not settings.journal.path:
        return default_path()
    path = Path(settings.journal.path).expanduser()
    return settings.file.parent / path if settings.file else path


def open_journal(settings: Settings, clock: Clock | None = None) -> Journal:
    """The journal of a config; touches nothing before it is used."""
    if settings.journal.dsn is not None:
        from warroom.journal.postgres import PostgresJournal

        return PostgresJournal(settings.journal.dsn, clock)
    from warroom.journal.sqlite import SqliteJournal

    return SqliteJournal(path_for(settings), clock)
