"""Keys that arrive together, as over a slow line or from tmux, go where one by one they would."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Shell, written
from tests.support.services import DockerEngine
from tests.support.terminal import Terminal, console


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    log = tmp_path / "api.log"
    log.write_text("the api has started\nERROR pool exhausted\n")
    return Shell(tmp_path, written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"\n'))


def notes(shell: Shell) -> list[str]:
    entries = shell("incident", "show", "--json").json["events"]
    return [entry["text"] for entry in entries if entry["kind"] == "note"]


def ended(terminal: Terminal, shell: Shell) -> None:
    """`the end` was typed, the last of two hundred keys, and is written down."""
    terminal.sees("the end", within=90)
    terminal.until(lambda: notes(shell)[-1:] == ["the end"], "not written down")


def test_a_whole_incident_typed_at_once(tmp_path: Path, shell: Shell) -> None:
    assert shell.config is not None
    with console(tmp_path, shell.config) as terminal:
        terminal.sees("pool exhausted")
        terminal.keys("iCheckout 5xx\r1nfirst: q K r v\rnsecond\rv0nthird\r")
        terminal.sees("third", "[P0]")
        terminal.keys("u4q")
        assert terminal.ends() == 0
    assert notes(shell) == ["first: q K r v", "second", "third"]
    assert "monitoring" in shell("incident", "list").out


def test_alt_enter_is_a_new_line_in_a_terminal_that_sends_escape_first(
    tmp_path: Path, shell: Shell
) -> None:
    assert shell.config is not None
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    with console(tmp_path, shell.config) as terminal:
        terminal.sees("Checkout 5xx")
        terminal.keys("nfirst\x1b\rsecond\x0athird\r")
        terminal.sees("first ⏎ second ⏎ third")
        terminal.keys("tnfourth\x1b\rfifth\r")
        terminal.sees("fifth", "saved")
        terminal.keys("qq")
        assert terminal.ends() == 0
    assert notes(shell) == ["first\nsecond\nthird", "fourth\nfifth"]


def test_a_filter_typed_at_once(tmp_path: Path, shell: Shell) -> None:
    assert shell.config is not None
    with console(tmp_path, shell.config) as terminal:
        terminal.sees("the api has started")
        terminal.keys("2/ERROR\r")
        terminal.sees("/ERROR", "pool exhausted")
        terminal.loses("the api has started")
        terminal.keys("\x1b")
        terminal.sees("the api has started")
        terminal.keys("?")
        terminal.sees("esc close")
        terminal.keys("\x1b")
        terminal.loses("esc close")
        terminal.keys(":note by command\r")
        terminal.sees("no incident is open")


def test_enter_twice_leaves_one_dialog_only(tmp_path: Path, shell: Shell) -> None:
    assert shell.config is not None
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    with console(tmp_path, shell.config) as terminal:
        terminal.sees("pool exhausted", "Checkout 5xx")
        for _ in range(5):
            terminal.keys("ntext\r\rq?\r\rqvqv\r\rqtq")  # the second Enter opens a detail
        terminal.keys("nthe end\r")
        ended(terminal, shell)
    assert notes(shell) == ["text"] * 5 + ["the end"]


def test_an_entry_typed_at_once_in_the_timeline(tmp_path: Path, shell: Shell) -> None:
    assert shell.config is not None
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    with console(tmp_path, shell.config) as terminal:
        terminal.sees("pool exhausted", "Checkout 5xx")
        terminal.keys("tndown again, quit?\rn/second\rd typed by mistake\rq")
        terminal.loses("esc close")
        terminal.keys("nthe end\r")
        ended(terminal, shell)
    assert notes(shell) == ["down again, quit?", "/second", "the end"]
    assert "typed by mistake" in shell("incident", "show", "--json").out


@pytest.mark.service("docker")
def test_an_armed_card_is_not_confirmed_by_what_was_typed_before_it(
    tmp_path: Path, docker_engine: DockerEngine
) -> None:
    docker_engine.run("typed-ahead", "sleep", "3600")
    config = written(tmp_path, f'[[probe]]\nkind = "docker"\nsocket = "{docker_engine.socket}"\n')
    shell = Shell(tmp_path, config)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    started = docker_engine.docker("inspect", "-f", "{{.State.StartedAt}}", "typed-ahead")
    try:
        with console(tmp_path, config) as terminal:
            terminal.sees("typed-ahead", "Checkout 5xx")
            terminal.keys("/typed-ahead\rr\r\r")
            terminal.sees("esc cancel", "typed before the card was shown")
            terminal.keys("\x1b")
            terminal.loses("esc cancel")
        after = docker_engine.docker("inspect", "-f", "{{.State.StartedAt}}", "typed-ahead")
        assert after == started
    finally:
        docker_engine.docker("rm", "--force", "typed-ahead")
