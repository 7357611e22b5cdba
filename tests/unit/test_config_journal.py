"""Where the journal is: a file or a database, never both, and never a password in the config."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom.config.load import parse
from warroom.config.problems import ConfigError
from warroom.config.settings import JournalSettings, Settings
from warroom.config.values import Secret
from warroom.journal import name_of, open_journal
from warroom.journal.base import JournalError
from warroom.journal.postgres import PostgresJournal
from warroom.journal.sqlite import SqliteJournal

FILE = Path("/etc/warroom/warroom.toml")


def settings(text: str) -> Settings:
    return parse(f"[journal]\n{text}", FILE).settled()


def shared(dsn: str) -> Settings:
    return Settings(journal=JournalSettings(dsn=Secret(dsn)))


async def test_a_dsn_means_a_database_and_a_path_a_file() -> None:
    assert isinstance(open_journal(settings('dsn = "env:WARROOM_JOURNAL"')), PostgresJournal)
    assert isinstance(open_journal(settings('path = "war.db"')), SqliteJournal)
    assert isinstance(open_journal(settings("")), SqliteJournal)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'path = "war.db"\ndsn = "env:WARROOM_JOURNAL"',
            "a journal is a file (path) or a database (dsn): name one",
        ),
        ('dsn = "postgresql://war:secret@db/war"', "a password does not belong in a config"),
        ('dsn = "env:"', "names no place"),
        ("dsn = 5", "dsn"),
        ('dns = "env:X"', 'did you mean "dsn"'),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(text)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{FILE}:")
    assert "secret" not in str(error.value)


async def test_every_console_gives_a_journal_the_same_name_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WARROOM_JOURNAL", "postgresql+asyncpg://war:s3cret@db:6432/war?x=1")
    name = await name_of(shared("env:WARROOM_JOURNAL"))
    assert name == "postgresql://db:6432/war"
    monkeypatch.setenv("ANOTHER", "host=db port=6432 user=other password=new dbname=war")
    assert await name_of(shared("env:ANOTHER")) == name
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "war.db")
    names = {
        await name_of(Settings(journal=JournalSettings(path=str(path))))
        for path in (tmp_path / "war.db", link)
    }
    assert names == {f"sqlite:{tmp_path.resolve()}/war.db"}


async def test_a_dsn_that_cannot_be_read_says_why_and_not_what(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WARROOM_JOURNAL", raising=False)
    with pytest.raises(JournalError, match="env:WARROOM_JOURNAL is not set"):
        await name_of(shared("env:WARROOM_JOURNAL"))
    monkeypatch.setenv("WARROOM_JOURNAL", "mysql://root:s3cret@db/x")
    for call in (
        name_of(shared("env:WARROOM_JOURNAL")),
        open_journal(shared("env:WARROOM_JOURNAL")).headings(),
    ):
        with pytest.raises(JournalError) as error:
            await call
        assert "is not a PostgreSQL address" in str(error.value)
        assert "s3cret" not in str(error.value)


async def test_a_secret_that_is_missing_is_a_journal_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WARROOM_JOURNAL", raising=False)
    journal = open_journal(shared("env:WARROOM_JOURNAL"))
    with pytest.raises(JournalError, match="env:WARROOM_JOURNAL is not set"):
        await journal.current()
    await journal.close()
