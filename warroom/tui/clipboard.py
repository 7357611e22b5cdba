"""The clipboard of whoever sits before the terminal, however many machines away.

A terminal takes text for its clipboard as an escape sequence (OSC 52, xterm's ctlseqs). tmux lets
it through from programs only with `set-clipboard on`, but passes on what is loaded into its own
buffer (`load-buffer -w`, tmux 3.2). GNU screen wants it wrapped in its own sequence (DCS), in
short pieces, and would print an overlong one on the screen.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from textual.app import App

TMUX_S: Final = 2.0
"""Seconds that tmux may take to answer."""
LARGE: Final = 74_000
"""Bytes that every terminal with OSC 52 takes; xterm and others drop more."""
_PIECE: Final = 76


def copy(app: App[Any], text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Put `text` on the clipboard; gives what to say of it, such as `copied (tmux buffer)`.

    Nobody can know whether the terminal took it. While the screen is shared, `text` is copied as
    it is: it goes to one's own clipboard, not onto the screen.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")  # no terminal takes a lone surrogate
    if environ.get("TMUX"):
        app.copy_to_clipboard(text)
        return _into_tmux(text) or "copied (OSC 52: inside tmux it needs `set -g set-clipboard on`)"
    if environ.get("STY"):
        app._clipboard = text  # what pasting within the console takes
        if app._driver is not None:
            app._driver.write(wrapped_for_screen(text))
        return _said(text, "OSC 52 through screen")
    app.copy_to_clipboard(text)
    if environ.get("TERM", "").startswith(("tmux", "screen")):
        return _said(text, "OSC 52: the tmux around it needs `set -g set-clipboard on`")
    return _said(text, "OSC 52")


def wrapped_for_screen(text: str) -> str:
    """OSC 52 in device control strings of GNU screen, each short enough for any of its versions.

    >>> wrapped_for_screen("hi")
    '\\x1bP\\x1b]52;c;aGk=\\x07\\x1b\\\\'
    """
    packed = base64.b64encode(text.encode()).decode("ascii")
    whole = f"\x1b]52;c;{packed}\x07"
    pieces = [whole[at : at + _PIECE] for at in range(0, len(whole), _PIECE)]
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def _into_tmux(text: str) -> str:
    """Through standard input: what is copied may be secret, and argv is for all to see."""
    for flags, said in ((["-w"], "tmux buffer"), ([], "tmux buffer only: this tmux is old")):
        argv = ["tmux", "load-buffer", *flags, "-"]
        try:
            done = subprocess.run(
                argv, input=text.encode(), capture_output=True, timeout=TMUX_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if done.returncode == 0:
            return f"copied ({said})"
    return ""


def _said(text: str, how: str) -> str:
    size = len(text.encode())
    large = f"; {size // 1024:,} KiB, which some terminals refuse" if size > LARGE else ""
    return f"copied ({how}{large})"
