"""Rooms stay small: a file that outgrows its limit wants a wall, or a reason here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
FILE_LINES: Final = 400
FUNCTION_LINES: Final = 50
FILES_ALLOWED: Final[dict[str, str]] = {}
"""Path → why it may be longer."""
FUNCTIONS_ALLOWED: Final[dict[str, str]] = {}
"""path:function → why it may be longer."""


def sources() -> Iterator[Path]:
    for folder in ("warroom", "tests", "scripts"):
        yield from sorted((REPOSITORY / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_no_file_is_longer_than_its_limit() -> None:
    long = {
        name_of(path): lines
        for path in sources()
        if (lines := len(path.read_text("utf-8").splitlines())) > FILE_LINES
    }
    assert long.keys() - FILES_ALLOWED.keys() == set(), long
    assert FILES_ALLOWED.keys() - long.keys() == set(), "no longer needed: take it off the list"


def test_no_function_is_longer_than_its_limit() -> None:
    long: dict[str, int] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long[f"{name_of(path)}:{node.name}"] = lines
    assert long.keys() - FUNCTIONS_ALLOWED.keys() == set(), long
    assert FUNCTIONS_ALLOWED.keys() - long.keys() == set(), "no longer needed: take it off the list"
