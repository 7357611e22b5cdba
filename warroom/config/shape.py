"""Shapes plain TOML tables into frozen dataclasses, and collects every problem on the way.

The standard library alone: a validation framework costs 70 ms before the first paint, a third of
the whole start, and the messages here (nearest word, what is allowed, where) are the product's.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from typing import Any

from warroom.config.problems import Path, Problem, nearest
from warroom.config.scalars import Wrong, named, one_of, scalar
from warroom.config.values import Seconds, Secret

_T = typing.TypeVar("_T")


def shape(
    cls: type[_T],
    table: object,
    path: Path,
    problems: list[Problem],
    *,
    also: Iterable[str] = (),
) -> _T | None:
    """`table` as an instance of the dataclass `cls`; None when something was wrong.

    Every problem is appended to `problems`: unknown keys, missing ones, wrong types, and what the
    class's own `__post_init__` refuses with a ValueError (named `key: message` for one key).
    `also` are keys that the table may have besides and that are somebody else's: a mistyped one
    is still offered as the nearest word.
    """
    if not isinstance(table, Mapping):
        problems.append(Problem(path, f"expected a table, found {named(table)}"))
        return None
    fields, hints = _fields(typing.cast(Hashable, cls))
    allowed = {*fields, *also}
    unknown = [key for key in table if key not in allowed]
    for key in unknown:
        problems.append(Problem((*path, key), "unknown key", nearest(key, allowed), at_key=True))
    before = len(problems)
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            values[field.name] = _value(hints[field.name], table[key], (*path, key), problems)
        elif _is_required(field):
            problems.append(Problem(path, f'"{key}" is missing', doc(field)))
    if len(problems) > before:
        return None
    return _made(cls, values, table if unknown else None, path, problems)


def _made(
    cls: type[_T],
    values: dict[str, Any],
    mistyped: Mapping[str, Any] | None,
    path: Path,
    problems: list[Problem],
) -> _T | None:
    """The instance. In a table with unknown keys (`mistyped`) the class may miss what was meant
    by one of them: there it is heard only on keys that are given."""
    try:
        made = cls(**values)
    except ValueError as error:
        key, _, message = str(error).partition(": ")
        is_key = key in key_names(cls)
        if mistyped is None or (is_key and key in mistyped):
            problems.append(Problem((*path, key), message) if is_key else Problem(path, str(error)))
        return None
    return made if mistyped is None else None


def key_names(cls: type) -> list[str]:
    """The keys a table of `cls` may have, as they are written in TOML."""
    return list(_fields(typing.cast(Hashable, cls))[0])


def doc(field: dataclasses.Field[Any]) -> str:
    """What the settings class says about a key, in a few words; empty when it says nothing."""
    return str(field.metadata.get("doc", ""))


@cache
def _fields(cls: Hashable) -> tuple[dict[str, dataclasses.Field[Any]], dict[str, Any]]:
    kind = typing.cast(type[Any], cls)
    fields = {f.metadata.get("key", f.name): f for f in dataclasses.fields(kind) if f.init}
    return fields, typing.get_type_hints(kind, include_extras=True)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(hint: Any, value: object, path: Path, problems: list[Problem]) -> Any:
    try:
        return _convert(hint, value, path, problems)
    except Wrong as wrong:
        problems.append(Problem(path, wrong.message, wrong.hint))
        return None


def _convert(hint: Any, value: object, path: Path, problems: list[Problem]) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _convert(_meant(args, value), value, path, problems)
    if origin is typing.Literal:
        return one_of(value, [str(a) for a in args])
    if origin is tuple:
        if not isinstance(value, list):
            raise Wrong(f"expected a list, found {named(value)}")
        return tuple(_value(args[0], v, (*path, i), problems) for i, v in enumerate(value))
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise Wrong(f"expected a table, found {named(value)}")
        return {k: _value(args[1], v, (*path, k), problems) for k, v in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and hint is not Secret:
        return shape(hint, value, path, problems)
    return scalar(hint, value)


def _meant(kinds: tuple[Any, ...], value: object) -> Any:
    """Which of several kinds a value is meant as: a table where it is one, else the plain one."""
    known = [kind for kind in kinds if kind is not types.NoneType]
    is_table = isinstance(value, Mapping)
    fit = (kind for kind in known if dataclasses.is_dataclass(kind) is is_table)
    return next(fit, known[0])


def duration_or_problem(
    value: object, path: Path, problems: list[Problem], *, least: float = 0.0
) -> float | None:
    """Seconds, or None for nothing and for what is no duration of at least `least` seconds (then
    a problem is added)."""
    if value is None:
        return None
    seconds: float | None = _value(Seconds, value, path, problems)
    if seconds is not None and seconds < least:
        problems.append(Problem(path, f"{named(value)} is too short", f"at least {least:g} s"))
        return None
    return seconds
