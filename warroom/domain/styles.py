"""The styles of a line on the screen, by name: what a kept picture of it is drawn with, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STYLES: Final[Mapping[str, tuple[str, str, str]]] = {
    "ok": ("ok", "", ""), "degraded": ("degraded", "", ""), "down": ("down", "", ""),
    "unknown": ("unknown", "", ""), "dim": ("quiet", "", ""), "bold": ("", "", "bold"),
    "accent": ("accent", "", ""), "info": ("info", "", ""), "title": ("", "", "bold"),
    "frame": ("frame", "", ""), "focus": ("accent", "", ""),
    "cursor": ("cursor-foreground", "cursor-background", ""),
    "mark": ("accent", "", "bold"), "key": ("accent", "", "bold"),
    "head": ("quiet", "", "underline"), "bar": ("bar-foreground", "bar", ""),
    "badge": ("bar-foreground", "bar", "bold"), "alarm": ("on-down", "down", "bold"),
    "reverse": ("", "", "reverse"),
}  # fmt: skip
"""Colour and background by the theme's names for them, and how the text is set.

Not component classes of a style sheet: those are worked out anew for every widget, which took a
tenth of the time to the first paint.
"""
