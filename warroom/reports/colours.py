"""The colours of figures and pages: those of the console's themes, so that they stand in one place.

Light is `themes/light.toml`, dark the colour-blind safe one (Okabe-Ito). What is read on a dark
screen follows the reader's setting; what is printed is light.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from warroom.domain.styles import STYLES

LIGHT: Final = "light"
DARK: Final = "colour-blind"
SCREEN: Final = "dark"
"""The theme in which the console's own pictures are drawn."""
CELL: Final = "c-"
"""What the classes of a picture's cells begin with."""


@cache
def colours(theme: str) -> Mapping[str, str]:
    """A theme's colours by name, as `#rrggbb`."""
    table = tomllib.loads((_folder() / f"{theme}.toml").read_text("utf-8"))
    return MappingProxyType({str(name): str(value) for name, value in table["colours"].items()})


def by_scheme(rules: Mapping[str, Mapping[str, str]]) -> str:
    """CSS for `rules` (selector → property → the name of a colour), for light and dark."""
    return (
        f"{_written(rules, LIGHT)}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n{_written(rules, DARK)}\n}}"
    )


def of_cells() -> str:
    """CSS for a picture of the console: a class for every style that a line can have."""
    theme = colours(SCREEN)
    rules = [
        f".screen {{ fill: {theme['background']}; stroke: {theme['frame']} }}",
        f".{CELL}text {{ fill: {theme['foreground']} }}",
    ]
    for name, (ink, ground, setting) in STYLES.items():
        if ink:
            rules.append(f".{CELL}{name} {{ fill: {theme[ink]} }}")
        if ground:
            rules.append(f".{CELL}{name}-ground {{ fill: {theme[ground]} }}")
        if setting in _SETTINGS:
            rules.append(f".{CELL}{name} {{ {_SETTINGS[setting]} }}")
    rules += [
        f".{CELL}reverse {{ fill: {theme['background']} }}",
        f".{CELL}reverse-ground {{ fill: {theme['foreground']} }}",
    ]
    return "\n".join(rules)


_SETTINGS: Final = {"bold": "font-weight: bold", "underline": "text-decoration: underline"}


def _written(rules: Mapping[str, Mapping[str, str]], theme: str) -> str:
    known = colours(theme)
    return "\n".join(
        f"{selector} {{ {'; '.join(f'{name}: {known[colour]}' for name, colour in inks.items())} }}"
        for selector, inks in rules.items()
    )


def _folder() -> Path:
    """`themes/`, inside an installed package or beside it in a source tree."""
    package = Path(__file__).parent.parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"
