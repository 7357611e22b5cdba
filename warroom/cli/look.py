"""How the console looks and behaves, as the root command was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LOOK: Final = "warroom.look"
"""Where the root command's options for the console are kept, in the context's `meta`."""


@dataclass(frozen=True)
class Look:
    """How the console is to look and behave."""

    theme: str = ""
    share: bool = False
    ascii_only: bool = False
    observe: bool = False
    runbooks: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    """By pane, why there is nothing to show and what would help."""
    dry_run: bool = False
