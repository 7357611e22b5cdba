"""The last gate before the terminal: whatever a widget drew, no control character passes.

Foreign text is made harmless where it comes in; this holds even where somebody forgot. It also
masks addresses while the screen is shared.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from warroom.domain.text import harmless

_IPV4: Final = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_IPV6: Final = re.compile(r"(?<![\w:/])(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F:]{0,30}(?![\w:])")
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SECRET: Final = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token|api[_-]?key|authorization|bearer)\b(\s*[=:]\s*|\s+)(\S+)"
)
_PLAIN: Final = dict(zip("…→←↑↓·•—–★⏎✓☐▁▂▃▄▅▆▇█░▔▎▊", "~><^v.*--*|x._.-=+*#@. ||", strict=True))
"""What stands for the console's own characters where there is only ASCII."""
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


def mask(text: str) -> str:
    """`text` with addresses and secrets covered, as wide as before.

    >>> mask("203.0.113.7 asked"), mask("token=abcd"), mask("at 14:35:02")
    ('••••••••••• asked', 'token=••••', 'at 14:35:02')
    """
    text = _SECRET.sub(lambda m: m[1] + m[2] + "•" * len(m[3]), text)
    text = _EMAIL.sub(_covered, _IPV4.sub(_covered, text))
    return _IPV6.sub(lambda m: m[0] if _CLOCK.fullmatch(m[0]) else _covered(m), text)


def in_ascii(text: str) -> str:
    """`text` without any character beyond ASCII, as wide as before.

    >>> in_ascii("shop-a… → 漢 ok")
    'shop-a~ > ?? ok'
    """
    if text.isascii():
        return text
    return "".join(c if c.isascii() else _PLAIN.get(c) or "?" * cell_len(c) for c in text)


def _covered(match: re.Match[str]) -> str:
    return "•" * len(match[0])


class Gate(LineFilter):
    """Applied to every line of every widget."""

    def __init__(self) -> None:
        super().__init__()
        self.sharing = self.ascii_only = False

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        fit = all(
            s.text.isprintable() and (s.text.isascii() or not self.ascii_only) for s in segments
        )
        if fit and not self.sharing:
            return segments
        return [self._clean(segment) for segment in segments]

    def _clean(self, segment: Segment) -> Segment:
        text, style, control = segment
        if control:
            return segment
        text = harmless(text)
        text = mask(text) if self.sharing else text
        return Segment(in_ascii(text) if self.ascii_only else text, style)
