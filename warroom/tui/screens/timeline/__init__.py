"""The timeline editor: entries, one of them in full, its Markdown, and forms to change them."""

from __future__ import annotations

from warroom.tui.screens.timeline.screen import TimelineScreen

__all__ = ["TimelineScreen"]
