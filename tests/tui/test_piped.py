"""What is piped into the console is followed, and its keys come from the terminal all the same."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.support.cli import CALM, WARROOM, written
from tests.support.terminal import Terminal


def test_a_command_that_is_piped_in_is_a_log_of_the_room(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("the api has started\n")
    config = written(tmp_path, f'{CALM}\n[[log]]\nname = "api"\npath = "{log}"\n')
    console = shlex.join([*WARROOM, "--config", str(config)])
    argv = ["sh", "-c", f"echo 'from a pipe' | {console}"]
    with Terminal(argv, tmp_path) as terminal:
        terminal.sees("from a pipe", "the api has started", "stdin: what was piped in has ended")
        terminal.keys("?")
        terminal.sees("esc close")
        terminal.keys("\x1b")
        terminal.loses("esc close")
        terminal.keys("q")
        assert terminal.ends(60) == 0
        assert terminal.settings == terminal.before
