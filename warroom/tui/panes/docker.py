"""Containers."""

from __future__ import annotations

from typing import ClassVar

from warroom.tui.panes.base import TablePane


class DockerPane(TablePane):
    """Every container with its state, load and restarts; ill ones first."""

    title = "docker"
    kinds: ClassVar[frozenset[str]] = frozenset({"docker"})

    def empty(self) -> str:
        if self.choice.filter:
            return super().empty()
        return "no containers: start one, or look at another engine with [[probe]] socket"
