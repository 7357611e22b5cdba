"""The append-only event store."""

from __future__ import annotations

import os
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


async def name_of(settings: Settings) -> str:
    """Which journal a config means, the same for every console on this machine that means it;
    without a secret. Raises JournalError when the dsn cannot be read."""
    from warroom.hosts.base import HostError
    from warroom.hosts.local import LocalHost
    from warroom.hosts.postgres import BadUrl, parse_dsn
    from warroom.hosts.secrets import reveal
    from warroom.journal.base import JournalError

    if settings.journal.dsn is None:
        return _file_name(settings)
    try:
        dsn = parse_dsn(await reveal(settings.journal.dsn, LocalHost()))
    except (HostError, BadUrl) as error:
        raise JournalError(f"dsn: {error}") from None
    return f"postgresql://{dsn.place}/{dsn.database or dsn.user}"


def _file_name(settings: Settings) -> str:
    return f"sqlite:{os.path.realpath(path_for(settings))}"


def open_journal(settings: Settings, clock: Clock | None = None) -> Journal:
    """The journal of a config; touches nothing before it is used."""
    if settings.journal.dsn is not None:
        from warroom.journal.postgres import PostgresJournal

        return PostgresJournal(settings.journal.dsn, clock)
    from warroom.journal.sqlite import SqliteJournal

    return SqliteJournal(path_for(settings), clock)
