"""The last gate before the terminal: whatever a widget drew, no control character passes.

Foreign text is made harmless where it comes in; this holds even where somebody forgot. It also
masks addresses while the screen is shared.
"""

from __future__ import annotations

import re
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from warroom.domain.text import harmless

_IPV4: Final = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_IPV6: Final = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F:]{0,30}(?![\w:])")
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SECRET: Final = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token|api[_-]?key|authorization|bearer)\b(\s*[=:]\s*|\s+)(\S+)"
)
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


def mask(text: str) -> str:
    """`text` with addresses and secrets covered, as wide as before.

    >>> mask("203.0.113.7 asked"), mask("token=abcd"), mask("at 14:35:02")
    ('••••••••••• asked', 'token=••••', 'at 14:35:02')
    """
    text = _SECRET.sub(lambda m: m[1] + m[2] + "•" * len(m[3]), text)
    text = _EMAIL.sub(_covered, _IPV4.sub(_covered, text))
    return _IPV6.sub(lambda m: m[0] if _CLOCK.fullmatch(m[0]) else _covered(m), text)


def _covered(match: re.Match[str]) -> str:
    return "•" * len(match[0])


class Gate(LineFilter):
    """Applied to every line of every widget."""

    def __init__(self) -> None:
        super().__init__()
        self.sharing = False

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not self.sharing and all(s.text.isprintable() for s in segments):
            return segments
        return [self._clean(segment) for segment in segments]

    def _clean(self, segment: Segment) -> Segment:
        text, style, control = segment
        if control:
            return segment
        text = harmless(text)
        return Segment(mask(text) if self.sharing else text, style)
