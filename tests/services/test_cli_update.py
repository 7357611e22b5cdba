"""Telling people and whom to call, without the screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Shell, written
from tests.support.services import HttpService

PATH = "/services/T0/verysecret"
CONFIG = (
    '[incident]\ntimezone = "Europe/Berlin"\nchannel = "#incident-YYYY-MM-DD-NNN"',
    '[[channel]]\nkind = "slack"\nname = "ops"\nurl = "env:CHAT_HOOK"',
    '[[contact]]\nname = "Dana"\nrole = "DBA"\nphone = "+49 30 1234567"\nlevel = 2',
    '[[contact]]\nname = "Robin"\nchat = "@robin"\nlevel = 1\nwhen = "always"',
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path, written(tmp_path, *CONFIG))
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    return shell


@pytest.fixture
def chat(http_service: Callable[..., HttpService]) -> HttpService:
    service = http_service()
    service.respond(PATH, 200, "ok")
    return service


def states(shell: Shell) -> list[str]:
    events = shell("incident", "show", "--json").json["events"]
    return [event["data"]["state"] for event in events if event["kind"] == "update"]


def test_without_send_the_draft_is_printed_and_nothing_is_written(shell: Shell) -> None:
    answer = shell("update", "--audience", "status page")
    assert "We are looking into this: Checkout 5xx." in answer.out
    assert shell("update", "--audience", "chat", "--stage", "resolved").out.startswith("Resolved: ")
    assert states(shell) == []


def test_a_text_from_stdin_is_sent_through_the_same_engine(shell: Shell, chat: HttpService) -> None:
    env = {"CHAT_HOOK": chat.url + PATH}
    answer = shell("update", "--send", "--text", "-", stdin=b"Wir wissen es.\n", env=env)
    assert "sent: taken by 127.0.0.1" in answer.err
    assert "verysecret" not in answer.out + answer.err
    assert json.loads(chat.requests[0].body)["text"] == "Wir wissen es."
    assert states(shell) == ["sending", "sent"]
    assert "update to chat by ops: sent: Wir wissen es." in shell("incident", "show").out
    assert "since" not in shell("update", "--audience", "chat").out.splitlines()[1]  # an update now


def test_a_dry_run_says_where_and_sends_nothing(shell: Shell, chat: HttpService) -> None:
    answer = shell("update", "--dry-run", "--channel", "ops", env={"CHAT_HOOK": chat.url + PATH})
    assert f"chat (initial) by ops: 127.0.0.1:{chat.port}" in answer.err
    assert "Checkout 5xx" in answer.out
    assert not chat.requests
    assert states(shell) == []


def test_exit_statuses_tell_failed_from_unknown(shell: Shell, chat: HttpService) -> None:
    env = {"CHAT_HOOK": chat.url + PATH}
    chat.faults.status = 403
    assert "failed: " in shell("update", "--send", env=env, status=1).err
    chat.faults.clear()
    chat.faults.drop = True
    assert "UNKNOWN: " in shell("update", "--send", env=env, status=3).err
    assert len(chat.requests) == 2
    assert states(shell) == ["sending", "failed", "sending", "UNKNOWN"]


def test_wrong_calls_say_what_there_is(shell: Shell) -> None:
    assert 'did you mean "ops"?' in shell("update", "--channel", "opps", status=2).err
    assert "stakeholders" in shell("update", "--audience", "nobody", status=2).err
    assert "no channel tells status page" in (
        shell("update", "--send", "--audience", "status page", status=2).err
    )
    assert "env:CHAT_HOOK is not set" in shell("update", "--send", status=1).err
    assert states(shell) == []


def test_an_observer_sends_nothing(shell: Shell, chat: HttpService) -> None:
    env = {"CHAT_HOOK": chat.url + PATH}
    answer = Shell(shell.folder)(
        "--observe", "--config", str(shell.config), "update", "--send", env=env, status=1
    )
    assert "refused: observer mode" in answer.err
    assert not chat.requests


def test_what_is_not_for_the_public_is_said(shell: Shell) -> None:
    answer = shell("update", "--audience", "status page", "--text", "db at 10.0.0.7")
    assert "not for the public? an IP address: 10.0.0.7" in answer.err


def test_without_an_incident_there_is_nothing_to_tell(tmp_path: Path) -> None:
    shell = Shell(tmp_path, written(tmp_path, *CONFIG))
    assert "no incident is open" in shell("update", status=1).err


def test_contacts_stand_in_the_order_of_the_ladder(shell: Shell, tmp_path: Path) -> None:
    first, second = shell("contacts").out.splitlines()
    assert first.split() == ["1", "Robin", "chat", "@robin", "[always]"]
    assert "Dana (DBA)" in second
    assert "phone +49 30 1234567" in second
    empty = Shell(tmp_path, written(tmp_path, name="empty.toml"))
    assert "no contacts: add [[contact]]" in empty("contacts", status=1).err
