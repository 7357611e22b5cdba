"""Mitigations that are defined already, in `mitigations/*.toml`: `use = "kubernetes.scale"`.

A definition has the keys of a `[[mitigation]]`, a `name`, and `needs`: what must be there for it,
in words. Whatever key an entry gives itself takes the place of the definition's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path as File
from typing import Any, Final

from warroom.config.problems import Path, Problem, nearest
from warroom.config.scalars import named
from warroom.config.settings import MitigationEntry

_OWN: Final = ("name", "needs")
_NOT_OF_AN_UNDO: Final = ("undo", "expires")


@dataclass(frozen=True, slots=True)
class Definition:
    """One packaged mitigation: `table` has the keys of a `[[mitigation]]`."""

    name: str
    needs: tuple[str, ...]
    table: Mapping[str, Any]

    @property
    def title(self) -> str:
        return str(self.table.get("title", self.name))

    @property
    def kind(self) -> str:
        return str(self.table["kind"])


@cache
def definitions() -> Mapping[str, Definition]:
    """Every packaged mitigation by its name, in the order of their names."""
    found = {}
    for file in sorted(definitions_folder().glob("*.toml")):
        for entry in tomllib.loads(file.read_text("utf-8")).get("mitigation", []):
            table = {key: value for key, value in entry.items() if key not in _OWN}
            name = entry["name"]
            found[name] = Definition(name, tuple(entry.get("needs", ())), table)
    return dict(sorted(found.items()))


def definitions_folder() -> File:
    """`definitions/` inside an installed package, `mitigations/` beside it in a source tree."""
    package = File(__file__).parent.parent
    inside = package / "definitions"
    return inside if inside.is_dir() else package.parent / "mitigations"


def completed(
    entry: Mapping[str, Any], place: Path, problems: list[Problem]
) -> Mapping[str, Any] | None:
    """An entry with what the definition that it uses says; None when there is none of that name."""
    if "use" not in entry:
        return entry
    name = entry["use"]
    definition = definitions().get(name) if isinstance(name, str) else None
    if definition is None:
        message = f"no packaged mitigation is called {named(name)}"
        problems.append(Problem((*place, "use"), message, nearest(str(name), definitions())))
        return None
    if "kind" in entry:
        message = f'{name} is of kind "{definition.kind}" already'
        problems.append(Problem((*place, "kind"), message, "leave it out", at_key=True))
        return None
    return {**definition.table, **entry}


def linked(
    entries: Sequence[MitigationEntry], problems: list[Problem]
) -> Iterator[MitigationEntry]:
    """Entries whose `undo` names another mitigation, by key, title or packaged name, with that
    one's kind and options in its place."""
    for entry in entries:
        wanted = entry.options.get("undo")
        if not isinstance(wanted, str):
            yield entry
            continue
        undo = _undo(wanted, entries)
        if undo is None:
            names = [e.title or e.key for e in entries if e is not entry and (e.title or e.key)]
            hint = nearest(wanted, [*names, *definitions()])
            message = f"no mitigation is called {named(wanted)}"
            problems.append(Problem((*entry.place, "undo"), message, hint))
        yield replace(entry, options={**entry.options, "undo": undo})


def _undo(wanted: str, entries: Sequence[MitigationEntry]) -> Mapping[str, Any] | None:
    for entry in entries:
        if wanted in (entry.key, entry.title):
            return _as_undo(entry.kind, entry.title, entry.options)
    definition = definitions().get(wanted)
    if definition is None:
        return None
    own = ("kind", "title", "key", "on", "probe")
    options = {key: value for key, value in definition.table.items() if key not in own}
    return _as_undo(definition.kind, definition.title, options)


def _as_undo(kind: str, title: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {key: value for key, value in options.items() if key not in _NOT_OF_AN_UNDO}
    return {"kind": kind, "title": title, "options": kept}
