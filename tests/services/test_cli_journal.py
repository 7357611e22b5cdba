"""`warroom journal`: its owner makes a shared journal ready, then others note into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.shared_journal import Shared
from tests.support.cli import Shell
from warroom.drill.stack.postgres import Postgres

pytestmark = pytest.mark.service("postgres")


@pytest.fixture
def shared(postgres_server: Postgres) -> Shared:
    return Shared.made(postgres_server)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "warroom.toml"
    file.write_text('[journal]\ndsn = "env:WARROOM_JOURNAL"\n')
    file.chmod(0o600)
    return file


def test_an_owner_makes_it_ready_and_a_granted_role_writes_into_it(
    tmp_path: Path, config: Path, shared: Shared
) -> None:
    warroom = Shell(tmp_path, config)
    shared.role("war_oncall")
    owner = {"OWNER": shared.dsn(), "WARROOM_JOURNAL": shared.dsn("war_oncall")}
    new = ("incident", "new", "it burns", "--severity", "P1")
    refused = warroom(*new, status=1, env=owner)
    assert "`warroom journal migrate`" in refused.err
    assert "at version" in warroom("journal", "migrate", "--dsn", "env:OWNER", env=owner).out
    refused = warroom(*new, status=1, env=owner)
    assert "`warroom journal grant war_oncall`" in refused.err
    granted = warroom("journal", "grant", "war_oncall", "--dsn", "env:OWNER", env=owner)
    assert granted.out == "war_oncall may read the journal and append to it\n"
    assert warroom(*new, env=owner).out.startswith("INC-")
    warroom("note", "from the command line", env=owner)
    assert "it burns" in warroom("incident", "list", env=owner).out
    assert shared.sql("SELECT text FROM warroom.event ORDER BY seq") == (
        "it burns\nfrom the command line"
    )


def test_what_is_wrong_is_one_plain_line(tmp_path: Path, config: Path, shared: Shared) -> None:
    warroom = Shell(tmp_path, config)
    away = {"WARROOM_JOURNAL": "postgresql://war@127.0.0.1:9/war"}
    assert "127.0.0.1:9" in warroom("incident", "list", status=1, env=away).err
    assert "is not set" in warroom("incident", "list", status=1).err
    asked = ("journal", "grant", "nobody", "--dsn", "postgresql://a:b@db/war")
    assert "a password does not belong" in warroom(*asked, status=2).err
    wrong = {"WARROOM_JOURNAL": shared.dsn()}
    assert "no_such_role" in warroom("journal", "grant", "no_such_role", status=1, env=wrong).err
    other = tmp_path / "other.toml"
    other.write_text("")
    other.chmod(0o600)
    said = Shell(tmp_path, other)("journal", "migrate", status=2).err
    assert "the config names no shared journal" in said
    for line in (said,):
        assert "Traceback" not in line


def test_the_sql_is_printed_for_whoever_runs_it(tmp_path: Path, shared: Shared) -> None:
    printed = Shell(tmp_path)("journal", "sql", "--role", 'o"dd').out
    assert printed.startswith("BEGIN;")
    assert 'GRANT USAGE ON SCHEMA warroom TO "o""dd";' in printed
