"""What leaves the room: the post-mortem and the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FORMATS: Final[Mapping[str, str]] = {
    "md": "the post-mortem, as Markdown",
    "json": "everything: the events as they were stored and what they add up to",
    "csv": "the timeline, a line an entry",
}
"""What an incident can be exported as, in words."""
SUFFIXES: Final[Mapping[str, str]] = {form: form for form in FORMATS}
"""What the names of their files end with."""
POSTMORTEMS: Final = frozenset({"md"})
"""The formats in which people read what happened, through a template."""
