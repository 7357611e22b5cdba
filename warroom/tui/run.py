"""Starts the console on this terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.engine.room import Room

os.environ.setdefault("TEXTUAL_FPS", "240")  # read once, when Textual is imported


SWITCH_S: Final = 0.0005
"""How soon a thread that wants to go on gets the interpreter. Keys are read and the screen is
written by threads, with several waits each: at Python's own 5 ms, every one of them took that long
while data kept the loop busy."""


def run(
    settings: Settings,
    opener: Callable[[], Awaitable[Room]],
    *,
    theme: str = "",
    sharing: bool = False,
    ascii_only: bool = False,
    missing: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Run the console until it is left; its exit status. What it says in parting goes to stderr."""
    from warroom.tui.app import WarroomApp
    from warroom.tui.terminal import last_words

    for name in ("COLUMNS", "LINES"):  # exported by `resize`, say: then no resizing would be seen
        os.environ.pop(name, None)
    sys.setswitchinterval(SWITCH_S)
    app = WarroomApp(
        settings, opener, theme=theme, sharing=sharing, ascii_only=ascii_only, missing=missing
    )
    with app.ending.on_signals(app.end):
        try:
            app.run()
        except Exception as error:  # noqa: BLE001 - a defect while closing; the terminal is back
            print(last_words(error), file=sys.stderr)
            return 1
    if app.parting:
        print(app.parting, file=sys.stderr)
    return app.return_code or 0
