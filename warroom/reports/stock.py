"""The post-mortem templates that come with warroom: each a file under `templates/postmortem/`."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from warroom.reports.environment import built_in

SUFFIX: Final = ".md.j2"
DEFAULT: Final = "full"
EXTERNAL: Final = "external"
"""What readers outside get when nobody says."""
_ABOUT: Final = re.compile(r"\{#-?\s*(.*?)\s*-?#\}", re.DOTALL)


def names() -> list[str]:
    """Every built-in template, the default first."""
    folder = files("warroom.reports").joinpath("templates", "postmortem")
    found = [file.name.removesuffix(SUFFIX) for file in folder.iterdir()]
    return [DEFAULT, *sorted(name for name in found if name != DEFAULT)]


def text_of(name: str) -> str:
    """The built-in template of that name, one of `names`."""
    return built_in(f"postmortem/{name}{SUFFIX}")


def about(name: str) -> str:
    """What the template says of itself in its first comment."""
    comment = _ABOUT.match(text_of(name))
    return " ".join(comment[1].split()) if comment else ""
