"""What discovery hands over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from warroom.domain.text import harmless, shorten

Section = Literal["probe", "log", "mitigation"]
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A system, as the entry of a config: its `[[section]]` and keys. `why` says what told of it;
    with `is_offer` it is written as a comment, for people to take up."""

    section: Section
    table: Mapping[str, Any]
    why: str
    is_offer: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not here or could not be used; `why` ends with what to do, where there
    is something to do."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """All that was found, in the order of the panes, and what was not."""

    found: tuple[Found, ...]
    missing: tuple[Missing, ...]


Look = list[Found | Missing]
"""What one looker brings home."""


def plain_name(text: str) -> str:
    """`text` as a name for a pane: letters, digits and `_.-`, at most 40 of them.

    >>> plain_name("shop api/1")
    'shop-api-1'
    """
    return shorten(_NOT_PLAIN.sub("-", harmless(text)).strip("-"), 40).rstrip("…-") or "unnamed"
