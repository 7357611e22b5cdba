"""The clipboard: what a terminal, tmux and screen are given, and what is said of it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from warroom.tui.clipboard import LARGE, copy, wrapped_for_screen


class Terminal:
    """As much of an app and its driver as copying touches: what is written to the terminal."""

    def __init__(self) -> None:
        self.written = ""
        self._clipboard = ""
        self._driver = self

    def write(self, text: str) -> None:
        self.written += text

    def copy_to_clipboard(self, text: str) -> None:
        packed = base64.b64encode(text.encode()).decode()
        self.write(f"\x1b]52;c;{packed}\a")


@pytest.fixture
def terminal() -> Any:
    return Terminal()


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a program within a tmux of its own."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    base = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    subprocess.run([*base, "new-session", "-d", "sleep 60"], check=True)
    shown = subprocess.run(
        [*base, "display-message", "-p", "#{socket_path},#{pid},0"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    yield {"TMUX": shown.stdout.strip()}
    subprocess.run([*base, "kill-server"], check=True)


def told(sequence: str) -> str:
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert match, sequence
    return base64.b64decode(match[1]).decode()


def test_a_terminal_is_given_osc_52(terminal: Any) -> None:
    text = "zwei\nZeilen — 漢字 \x1b]52;c;x\x07"
    assert copy(terminal, text, {"TERM": "xterm-256color"}) == "copied (OSC 52)"
    assert told(terminal.written) == text


def test_inside_tmux_the_text_is_in_its_buffer(
    terminal: Any, tmux: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", tmux["TMUX"])
    text = "-w looks like an option\nsecond line; $(id) 漢字"
    assert copy(terminal, text, os.environ) == "copied (tmux buffer)"
    socket = tmux["TMUX"].partition(",")[0]
    shown = subprocess.run(["tmux", "-S", socket, "show-buffer"], capture_output=True, check=True)
    assert shown.stdout.decode() == text


def test_a_tmux_that_is_gone_is_said(
    terminal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", f"{tmp_path}/nowhere,1,0")
    assert "needs `set -g set-clipboard on`" in copy(terminal, "text", os.environ)
    assert told(terminal.written) == "text"


def test_screen_is_given_pieces_that_together_are_the_sequence(terminal: Any) -> None:
    text = "a long text " * 100
    assert copy(terminal, text, {"STY": "1234.pts-0.host"}) == "copied (OSC 52 through screen)"
    pieces = re.findall(r"\x1bP([^\x1b]*(?:\x1b\][^\x1b]*)?)\x1b\\", terminal.written)
    assert told("".join(pieces)) == text
    assert all(len(piece) <= 76 for piece in pieces)
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == wrapped_for_screen(text)


def test_a_tmux_on_the_far_side_of_ssh_is_hinted_at(terminal: Any) -> None:
    assert "the tmux around it" in copy(terminal, "x", {"TERM": "tmux-256color"})


def test_a_text_that_some_terminals_refuse_is_said(terminal: Any) -> None:
    assert "72 KiB, which some terminals refuse" in copy(terminal, "x" * (LARGE + 1), {})


def test_a_lone_surrogate_does_no_harm(terminal: Any) -> None:
    assert copy(terminal, "a\ud800b", {}) == "copied (OSC 52)"
    assert told(terminal.written) == "a?b"
