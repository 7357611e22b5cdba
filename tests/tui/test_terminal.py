"""The terminal is given back, whatever ends the console, and the incident is intact."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
import time
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import WARROOM, Shell, written
from tests.support.services import Loop
from tests.support.terminal import LEFT, Terminal, console

END_S: Final = 60.0
"""Seconds within which the console must be gone."""
SPENT_S: Final = 3.0
"""Seconds of processor time that it may spend until then."""
LONG: Final = 'timeout = "10m"\n'
SECRET: Final = "correct-horse-battery"
GIVEN_BACK: Final = {
    "the normal screen": LEFT,
    "the cursor": b"\x1b[?25h",
    "the mouse's buttons": b"\x1b[?1000l",
    "the mouse's moves": b"\x1b[?1003l",
    "the mouse's reports": b"\x1b[?1006l",
    "focus reports": b"\x1b[?1004l",
    "bracketed paste": b"\x1b[?2004l",
    "the keyboard's protocol": b"\x1b[<u",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """One log and an open incident with a note."""
    log = tmp_path / "api.log"
    log.write_text("the api has started\n")
    file = written(tmp_path, f'[[log]]\nname = "api"\npath = "{log}"\n')
    shell = Shell(tmp_path, file)
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    shell("note", "written before the end")
    return file


def is_given_back(terminal: Terminal) -> None:
    last = bytes(terminal.raw).rpartition(b"\x1b[?1049h")[2]
    assert [what for what, code in GIVEN_BACK.items() if code not in last] == []
    assert terminal.settings == terminal.before, "termios"


def is_intact(config: Path) -> None:
    shell = Shell(config.parent, config)
    assert "written before the end" in shell("incident", "show").out
    assert "the chain holds" in shell("incident", "verify").out


def test_q_leaves_and_the_incident_goes_on(tmp_path: Path, config: Path) -> None:
    with console(tmp_path, config) as terminal:
        terminal.sees("the api has started", "Checkout 5xx", "written before the end")
        assert terminal.settings != terminal.before
        terminal.keys("q")
        assert terminal.ends(END_S) == 0
        is_given_back(terminal)
    is_intact(config)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_in_order(tmp_path: Path, config: Path, number: signal.Signals) -> None:
    with console(tmp_path, config) as terminal:
        terminal.sees("the api has started", "Checkout 5xx")
        terminal.signal(number)
        assert terminal.ends(END_S) == 128 + number
        is_given_back(terminal)
        assert "Traceback" not in terminal.parting
    is_intact(config)


def test_a_signal_while_a_dialog_is_open_ends_it_too(tmp_path: Path, config: Path) -> None:
    with console(tmp_path, config) as terminal:
        terminal.sees("Checkout 5xx")
        terminal.keys("v")
        terminal.sees("esc cancel")
        terminal.signal(signal.SIGTERM)
        assert terminal.ends(END_S) == 128 + signal.SIGTERM
        is_given_back(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_at_the_first_paint_ends_it_too(
    tmp_path: Path, config: Path, number: signal.Signals
) -> None:
    with console(tmp_path, config) as terminal:
        terminal.until(lambda: b"\x1b[?1049h" in terminal.raw, "no alternate screen")
        terminal.signal(number)
        assert terminal.ends(END_S) == 128 + number
        is_given_back(terminal)
    is_intact(config)


def test_systems_that_do_not_answer_do_not_hold_it_back(tmp_path: Path, service_loop: Loop) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(mute, "127.0.0.1", 0)

    server = service_loop.run(listen())
    port = server.sockets[0].getsockname()[1]
    unix = tmp_path / "mute.sock"

    async def listen_there() -> asyncio.Server:
        return await asyncio.start_unix_server(mute, unix)

    other = service_loop.run(listen_there())
    config = written(
        tmp_path,
        f'[[probe]]\nkind = "http"\nname = "api"\nurl = "http://127.0.0.1:{port}/"\n{LONG}',
        f'[[probe]]\nkind = "postgres"\ndsn = "postgresql://app@127.0.0.1:{port}/shop"\n{LONG}',
        f'[[probe]]\nkind = "redis"\nurl = "redis://127.0.0.1:{port}/0"\n{LONG}',
        f'[[probe]]\nkind = "docker"\nsocket = "{unix}"\n{LONG}',
        f'[[log]]\nname = "box"\ncontainer = "box"\nsocket = "{unix}"\n',
    )
    try:
        with console(tmp_path, config) as terminal:
            terminal.sees("postgres", "redis", "no incident is open")
            terminal.keys("q")
            assert terminal.ends(END_S) == 0
            is_given_back(terminal)
    finally:
        server.close()
        other.close()


def test_a_lost_terminal_ends_it(tmp_path: Path, config: Path) -> None:
    with console(tmp_path, config) as terminal:
        terminal.sees("the api has started", "Checkout 5xx")
        terminal.hang_up()
        terminal.ends(END_S)
    is_intact(config)


def test_a_lost_terminal_ends_it_even_when_no_signal_says_so(tmp_path: Path, config: Path) -> None:
    argv = ["env", "--block-signal=HUP", *WARROOM, "--config", str(config)]
    with Terminal(argv, tmp_path) as terminal:
        terminal.sees("the api has started", "Checkout 5xx")
        before = terminal.cpu_s()
        terminal.hang_up()
        used = before
        end = time.monotonic() + END_S
        while terminal.process.poll() is None:
            assert time.monotonic() < end, "it runs on without a terminal"
            used = terminal.cpu_s() if terminal.process.poll() is None else used
            time.sleep(0.05)
        assert terminal.process.returncode == 128 + signal.SIGHUP
        assert used - before < SPENT_S
    is_intact(config)


def test_a_stalled_terminal_holds_no_signal_back(tmp_path: Path, config: Path) -> None:
    """Nobody reads what it writes any more, so its next writes wait for ever."""
    with console(tmp_path, config) as terminal:
        terminal.sees("the api has started", "Checkout 5xx")
        terminal.stall("z" * 60)  # each draws a whole screen
        terminal.signal(signal.SIGTERM)
        assert terminal.process.wait(END_S + 2) == 128 + signal.SIGTERM
        assert terminal.settings == terminal.before
    is_intact(config)


def crashing(config: Path, where: str) -> list[str]:
    """The console with a defect: `where` is a method that then raises, a secret among its
    variables."""
    module, _, path = where.partition(":")
    owner, _, method = path.partition(".")
    script = f"""
        import sys
        from {module} import {owner}

        def broken(self, *args, **kwargs):
            password = "-".join(["correct", "horse", "battery"])
            raise RuntimeError("a defect" + password[:0] + "\\x1b]0;PWN\\x07")

        {owner}.{method} = broken
        sys.argv = ["warroom", "--config", {str(config)!r}]
        from warroom.cli import main
        main()
    """
    return [sys.executable, "-c", textwrap.dedent(script)]


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ("warroom.tui.screens.room:RoomScreen.action_help", "?"),
        ("warroom.tui.screens.room:RoomScreen.open_with", ""),
        ("warroom.tui.widgets.sidebar:Sidebar.build", ""),
        ("warroom.engine.room:Room.open", ""),
        ("warroom.engine.room:Room.close", "q"),
        ("warroom.tui.screens.room:RoomScreen.on_mount", ""),
    ],
)
def test_a_defect_ends_it_without_showing_what_variables_hold(
    tmp_path: Path, config: Path, where: str, keys: str
) -> None:
    with Terminal(crashing(config, where), tmp_path) as terminal:
        if keys:
            terminal.sees("the api has started", "Checkout 5xx")
            terminal.keys(keys)
        assert terminal.ends(END_S) == 1
        is_given_back(terminal)
        assert SECRET not in terminal.raw.decode("utf-8", "replace")
        assert b"]0;PWN" in terminal.raw and b"\x1b]0;PWN" not in terminal.raw
        assert "RuntimeError: a defect" in terminal.parting
        assert "The incident is intact" in terminal.parting
        assert terminal.parting.count("Traceback") == 1
    is_intact(config)


def test_a_theme_that_does_not_exist_is_told_before_the_screen_is_taken(
    tmp_path: Path, config: Path
) -> None:
    with console(tmp_path, config, "--theme", "drak") as terminal:
        assert terminal.ends() == 2
        assert b"\x1b" not in terminal.raw
        assert 'no theme is called "drak"' in terminal.text
        assert terminal.settings == terminal.before


def test_a_suspended_console_comes_back_drawn(tmp_path: Path, config: Path) -> None:
    """Ctrl+Z in a shell with job control, then fg."""
    with Terminal(["bash", "--norc", "-i"], tmp_path, env={"PS1": "shell> "}) as terminal:
        terminal.sees("shell>")
        terminal.keys(f"{' '.join(WARROOM)} --config {config}\r")
        terminal.sees("the api has started", "Checkout 5xx")
        terminal.keys("\x1a")
        terminal.sees("Stopped")
        assert terminal.raw.rindex(LEFT) > terminal.raw.rindex(b"\x1b[?1049h")
        terminal.forget()
        terminal.keys("fg\r")
        terminal.sees("the api has started", "Checkout 5xx", "? help")
        terminal.forget()
        terminal.keys("q")
        terminal.sees("shell>")
        terminal.keys("exit\r")
        terminal.ends()


def test_it_wants_a_terminal(tmp_path: Path, config: Path) -> None:
    answer = Shell(tmp_path, config)(status=2)
    assert answer.out == ""
    assert "warroom check" in answer.err
    assert answer.err.count("\n") == 1


def test_it_wants_a_terminal_that_can_draw(tmp_path: Path, config: Path) -> None:
    for term in ("dumb", ""):
        with console(tmp_path, config, env={"TERM": term}) as terminal:
            assert terminal.ends() == 2
            assert b"\x1b" not in terminal.raw
            assert "warroom check" in terminal.text


def test_it_does_not_draw_into_a_file(tmp_path: Path, config: Path) -> None:
    """Textual draws through stderr: `warroom 2> log` would show nothing and take every key."""
    argv = ["sh", "-c", f"{' '.join(WARROOM)} --config {config} 2> told"]
    with Terminal(argv, tmp_path) as terminal:
        assert terminal.ends() == 2
        told = (tmp_path / "told").read_text()
        assert "\x1b" not in told
        assert "stderr" in told


MISTAKES: Final = """
[incident]
timezone = "Europe/Berlim"
[[probe]]
kind = "htpp"
[[probe]]
kind = "redis"
url = "redis://127.0.0.1/0"
slowlgo = 3
[console]
layuot = "wide"
[[mitigation]]
kind = "docker.restrat"
"""
NAMED: Final = (
    '3:12: incident.timezone: "Europe/Berlim" is not a time zone of this machine;'
    ' did you mean "Europe/Berlin"?',
    '5:8: probe[0].kind: no probe is of kind "htpp"; did you mean "http"?',
    '9:1: probe[1].slowlgo: unknown key; did you mean "slowlog"?',
    '11:1: console.layuot: unknown key; did you mean "layout"?',
    '13:8: mitigation[0].kind: no mitigation is of kind "docker.restrat";'
    ' did you mean "docker.restart"?',
)


def five_mistakes(folder: Path) -> tuple[Path, list[str]]:
    """A config, and what must be said of it."""
    config = folder / "warroom.toml"
    config.write_text(MISTAKES)
    config.chmod(0o600)
    return config, [f"{config}:{line}" for line in NAMED]


def test_check_names_five_mistakes_at_once(tmp_path: Path) -> None:
    config, named = five_mistakes(tmp_path)
    answer = Shell(tmp_path, config)("check", "--json", status=2)
    assert (answer.out, answer.err.splitlines()) == ("", named)


def test_the_console_names_five_mistakes_at_once(tmp_path: Path) -> None:
    config, named = five_mistakes(tmp_path)
    with console(tmp_path, config) as terminal:
        assert terminal.ends() == 2
        assert terminal.settings == terminal.before
        assert terminal.parting.splitlines()[-5:] == named


def test_mistakes_in_a_probes_options_are_told_once_the_terminal_is_given_back(
    tmp_path: Path,
) -> None:
    """Options belong to the kind, and kinds are imported after the first paint."""
    config = written(tmp_path, '[[probe]]\nkind = "redis"\nurll = "redis://127.0.0.1/0"\n')
    with console(tmp_path, config) as terminal:
        assert terminal.ends() == 2
        is_given_back(terminal)
        first, second = terminal.parting.splitlines()[-2:]
        assert first.endswith(f'{config}:3:3: probe[0]: "url" is missing')
        assert second == f'{config}:5:1: probe[0].urll: unknown key; did you mean "url"?'
