"""Shapes plain TOML tables into frozen dataclasses, and collects every problem on the way.

The standard library alone: a validation framework costs 70 ms before the first paint, a third of
the whole start, and the messages here (nearest word, what is allowed, where) are the product's.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Hashable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Final

from warroom.config.problems import Path, Problem, nearest
from warroom.config.values import Seconds, Secret

REQUIRED: Final = dataclasses.MISSING
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_T = typing.TypeVar("_T")


class _Wrong(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint


def shape(cls: type[_T], table: object, path: Path, problems: list[Problem]) -> _T | None:
    """`table` as an instance of the dataclass `cls`; None when something was wrong.

    Every problem is appended to `problems`: unknown keys, missing ones, wrong types, and what the
    class's own `__post_init__` refuses with a ValueError (named `key: message` for one key).
    """
    if not isinstance(table, Mapping):
        problems.append(Problem(path, f"expected a table, found {_named(table)}"))
        return None
    fields, hints = _fields(typing.cast(Hashable, cls))
    before = len(problems)
    for key in table:
        if key not in fields:
            problems.append(
                Problem((*path, key), "unknown key", nearest(str(key), fields), at_key=True)
            )
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            values[field.name] = _value(hints[field.name], table[key], (*path, key), problems)
        elif field.default is REQUIRED and field.default_factory is REQUIRED:
            problems.append(Problem(path, f'"{key}" is missing', _doc(field)))
    if len(problems) > before:
        return None
    try:
        return cls(**values)
    except ValueError as error:
        key, _, message = str(error).rpartition(": ")
        problems.append(Problem((*path, key) if key in fields else path, message))
        return None


def key_names(cls: type) -> list[str]:
    """The keys a table of `cls` may have, as they are written in TOML."""
    return list(_fields(typing.cast(Hashable, cls))[0])


@cache
def _fields(cls: Hashable) -> tuple[dict[str, dataclasses.Field[Any]], dict[str, Any]]:
    kind = typing.cast(type[Any], cls)
    named = {f.metadata.get("key", f.name): f for f in dataclasses.fields(kind) if f.init}
    return named, typing.get_type_hints(kind, include_extras=True)


def _doc(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("doc", ""))


def _value(hint: Any, value: object, path: Path, problems: list[Problem]) -> Any:
    try:
        return _convert(hint, value, path, problems)
    except _Wrong as wrong:
        problems.append(Problem(path, wrong.message, wrong.hint))
        return None


def _convert(hint: Any, value: object, path: Path, problems: list[Problem]) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _convert(next(a for a in args if a is not types.NoneType), value, path, problems)
    if origin is typing.Literal:
        return _one_of(value, [str(a) for a in args])
    if origin is tuple:
        if not isinstance(value, list):
            raise _Wrong(f"expected a list, found {_named(value)}")
        return tuple(_value(args[0], v, (*path, i), problems) for i, v in enumerate(value))
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise _Wrong(f"expected a table, found {_named(value)}")
        return {k: _value(args[1], v, (*path, k), problems) for k, v in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and hint is not Secret:
        return shape(hint, value, path, problems)
    return _scalar(hint, value)


def _scalar(hint: Any, value: object) -> Any:
    if hint is Seconds:
        return duration(value)
    if hint is Secret:
        return _secret(value)
    if hint is Any or hint is object:
        return value
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(_one_of(value, [member.value for member in hint]))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise _Wrong(f"expected {_WORDS.get(hint, hint)}, found {_named(value)}")
    return value


def _one_of(value: object, allowed: list[str]) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"expected text, found {_named(value)}", f"allowed: {', '.join(allowed)}")
    if value not in allowed:
        raise _Wrong(f'"{value}" is not allowed', nearest(value, allowed))
    return value


def duration(value: object) -> float:
    """Seconds from `5s`, `1.5m`, `250ms`, `2h`, or a plain number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _Wrong(
            f"{_named(value)} is not a duration", 'write it as "5s", "250ms", "1.5m" or "2h"'
        )
    return float(match[1]) * _UNITS[match[2]]


def duration_or_problem(value: object, path: Path, problems: list[Problem]) -> float | None:
    """Seconds, or None for nothing and for what is no duration (then a problem is added)."""
    return None if value is None else _value(Seconds, value, path, problems)


def _secret(value: object) -> Secret:
    if not isinstance(value, str):
        raise _Wrong(f"expected text, found {_named(value)}")
    try:
        return Secret(value)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise _Wrong(message, hint) from None


_WORDS: Final[dict[object, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _named(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else "a text"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return str(value).lower() if isinstance(value, bool) else str(value)
