"""What leaves the room: the post-mortem and the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FORMATS: Final[Mapping[str, str]] = {
    "md": "the post-mortem, as Markdown; charts and pictures in a folder beside it",
    "html": "the post-mortem, as one file with everything in it",
    "json": "everything: the events as they were stored and what they add up to",
    "csv": "the timeline, a line an entry",
    "bundle": "all of these and the evidence, as .tar.gz with the SHA-256 of every file",
}
"""What an incident can be exported as, in words."""
SUFFIXES: Final[Mapping[str, str]] = {form: form for form in FORMATS} | {"bundle": "tar.gz"}
"""What the names of their files end with."""
POSTMORTEMS: Final = frozenset({"md", "html", "bundle"})
"""The formats in which people read what happened, through a template."""
OUTSIDE: Final = frozenset({"md", "html", "csv"})
"""The formats for readers outside; the others hold the whole record."""
