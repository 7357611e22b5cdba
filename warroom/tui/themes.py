"""Themes are files: `themes/*.toml`, each a name, a base and semantic colours."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from textual.theme import Theme

SEMANTIC: Final = (
    "ok", "degraded", "down", "on-down", "unknown", "quiet", "info", "frame",
    "cursor-background", "cursor-foreground", "bar", "bar-foreground",
)  # fmt: skip


class ThemeError(Exception):
    """A theme file cannot be used; one line naming the file and the key."""


def folder() -> Path:
    """`themes/`, inside an installed package or beside it in a source tree."""
    package = Path(__file__).parent.parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def names() -> list[str]:
    """Every theme there is, the default first."""
    found = sorted(file.stem for file in folder().glob("*.toml"))
    return ["dark", *(name for name in found if name != "dark")]


def load(name: str) -> Theme:
    """The theme of that name. Raises ThemeError."""
    file = folder() / f"{name}.toml"
    if name not in names() or not file.is_file():
        raise ThemeError(f'no theme is called "{name}"; there are: {", ".join(names())}')
    table = tomllib.loads(file.read_text("utf-8"))
    colours = table.get("colours", {})
    missing = [
        key for key in (*SEMANTIC, "background", "foreground", "accent") if key not in colours
    ]
    if missing:
        raise ThemeError(f"{file}: [colours] lacks {', '.join(missing)}")
    return Theme(
        name=f"warroom-{name}",
        primary=colours["accent"],
        accent=colours["accent"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours.get("surface", colours["background"]),
        panel=colours.get("panel", colours["background"]),
        success=colours["ok"],
        warning=colours["degraded"],
        error=colours["down"],
        dark=bool(table.get("dark", True)),
        ansi=bool(table.get("ansi", False)),
        variables={key: colours[key] for key in SEMANTIC} | _of_ansi(table),
    )


def _of_ansi(table: dict[str, Any]) -> dict[str, str]:
    """Variables that Textual's own style sheets name and, for ANSI themes alone, does not make."""
    if not table.get("ansi"):
        return {}
    colours: dict[str, str] = table["colours"]
    return {"ansi-background": colours["background"], "ansi-foreground": colours["foreground"]}
