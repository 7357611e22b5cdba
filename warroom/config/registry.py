"""Members of a room, found without importing them.

A room (probes, mitigations) is a package with one module for each member. Names come from the
files; a module is imported only when a config names it. Members outside the tree register an
entry point in the group `warroom.<room>`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from types import ModuleType


class UnknownMember(LookupError):
    """No member of that name. `names` are those there are."""

    def __init__(self, room: str, name: str, names: list[str]) -> None:
        super().__init__(f"{name!r} is not one of the {room}: {', '.join(names)}")
        self.names = names


def members(package: ModuleType) -> list[str]:
    """Names of the members of `package`, sorted; `base` and private modules are not members."""
    found = {
        info.name
        for info in pkgutil.iter_modules(package.__path__)
        if not info.ispkg and not info.name.startswith("_") and info.name != "base"
    }
    return sorted(found | {entry.name for entry in _entry_points(package)})


def member(package: ModuleType, name: str) -> ModuleType:
    """The module of one member. Raises UnknownMember."""
    for entry in _entry_points(package):
        if entry.name == name:
            module = entry.load()
            if isinstance(module, ModuleType):
                return module
    if name not in members(package):
        raise UnknownMember(package.__name__.rpartition(".")[2], name, members(package))
    return importlib.import_module(f"{package.__name__}.{name}")


def _entry_points(package: ModuleType) -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=package.__name__)
