"""Members of a room, found without importing them.

A room (probes, mitigations) is a package with one module for each member. Names come from the
files; a module is imported only when a config names it. Members outside the tree register an
entry point in the group `warroom.<room>`.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


class UnknownMember(LookupError):
    """No member of that name. `names` are those there are."""

    def __init__(self, room: str, name: str, names: list[str]) -> None:
        super().__init__(f"{name!r} is not one of the {room}: {', '.join(names)}")
        self.names = names


def members(package: ModuleType) -> list[str]:
    """Names of the members of `package`, sorted; `base` and private modules are not members."""
    return sorted(_own(package) | {entry.name for entry in _entry_points(package)})


def member(package: ModuleType, name: str) -> ModuleType:
    """The module of one member. Raises UnknownMember."""
    if name in _own(package):
        return importlib.import_module(f"{package.__name__}.{name}")
    for entry in _entry_points(package):
        if entry.name == name:
            module = entry.load()
            if isinstance(module, ModuleType):
                return module
    raise UnknownMember(package.__name__.rpartition(".")[2], name, members(package))


def _own(package: ModuleType) -> set[str]:
    return {
        info.name
        for info in pkgutil.iter_modules(package.__path__)
        if not info.ispkg and not info.name.startswith("_") and info.name != "base"
    }


def _entry_points(package: ModuleType) -> EntryPoints:
    import importlib.metadata  # 10 ms that the first paint does not need

    return importlib.metadata.entry_points(group=package.__name__)
