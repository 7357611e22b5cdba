"""What leaves the room: the post-mortem and the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FORMATS: Final[Mapping[str, str]] = {
    "md": "the post-mortem, as Markdown",
    "json": "everything: the events as they were stored and what they add up to",
    "csv": "the timeline, a line an entry",
}
"""What an incident can be exported as: the format, which is the file's suffix too, in words."""
