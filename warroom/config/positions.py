"""Where a key stands in a TOML file: line and column, from a concrete syntax tree."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path as File
from typing import Final

import tree_sitter
import tree_sitter_toml

from warroom.config.problems import Path, Problem
from warroom.domain.text import harmless, shorten

_Place = tuple[int, int]
MOST: Final = 50
"""Problems written out; a file with more is not a config, and a terminal holds no more."""
LINE_WIDTH: Final = 1000


def describe(file: File, source: str, problems: list[Problem]) -> str:
    """One line a problem, in the order of the file: `file:line:column: key: message; hint`.

    Every line is harmless and at most 1,000 characters long; after 50 it says how many more.
    """
    places = dict(_places(source))
    lines = set()
    for problem in problems:
        line, column = _nearest(places, problem)
        hint = f"; {problem.hint}" if problem.hint else ""
        text = f"{file}:{line}:{column}: {problem.key}: {problem.message}{hint}"
        lines.add((line, column, shorten(harmless(text), LINE_WIDTH)))
    texts = [text for _, _, text in sorted(lines)]
    if len(texts) > MOST:
        texts = [*texts[:MOST], f"{harmless(str(file))}: and {len(texts) - MOST} more problems"]
    return "\n".join(texts)


def _nearest(places: dict[tuple[Path, bool], _Place], problem: Problem) -> _Place:
    """The place of the value, else of the key, else of the closest table around it."""
    for end in range(len(problem.path), 0, -1):
        path = problem.path[:end]
        value_first = (
            (False, True) if end == len(problem.path) and not problem.at_key else (True, False)
        )
        for is_key in value_first:
            if (path, is_key) in places:
                return places[path, is_key]
    return (1, 1)


def _places(source: str) -> Iterator[tuple[tuple[Path, bool], _Place]]:
    """`((path, is_key), (line, column))`, both from 1, for every key and value of the file."""
    data = source.encode()
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    root = parser.parse(data).root_node
    counts: dict[Path, int] = {}
    yield from _pairs(root, (), data)
    for node in root.children:
        if node.type not in ("table", "table_array_element"):
            continue
        header = next((c for c in node.children if c.is_named and c.type.endswith("key")), None)
        if header is None:  # tree-sitter is stricter than tomllib somewhere: go without its place
            continue
        path: Path = _indexed(_key(header, data), counts, node.type == "table_array_element")
        yield (path, True), _place(header, data)
        if path[-1] == 0:  # the list itself stands where its first element does
            yield (path[:-1], True), _place(header, data)
        yield from _pairs(node, path, data)


def _indexed(key: tuple[str, ...], counts: dict[Path, int], is_array: bool) -> Path:
    """`key` with the index of the array element that it stands in, for each part that is one."""
    path: Path = ()
    for position, part in enumerate(key):
        path = (*path, part)
        if is_array and position == len(key) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _pairs(
    node: tree_sitter.Node, path: Path, data: bytes
) -> Iterator[tuple[tuple[Path, bool], _Place]]:
    for child in node.children:
        if child.type != "pair":
            continue
        key, value = child.children[0], child.children[-1]
        inner = (*path, *_key(key, data))
        yield (inner, True), _place(key, data)
        yield from _values(value, inner, data)


def _values(
    value: tree_sitter.Node, path: Path, data: bytes
) -> Iterator[tuple[tuple[Path, bool], _Place]]:
    yield (path, False), _place(value, data)
    if value.type == "inline_table":
        yield from _pairs(value, path, data)
    elif value.type == "array":
        items = [c for c in value.children if c.is_named and c.type != "comment"]
        for index, item in enumerate(items):
            yield from _values(item, (*path, index), data)


def _key(node: tree_sitter.Node, data: bytes) -> tuple[str, ...]:
    if node.type == "dotted_key":
        return tuple(part for c in node.children if c.is_named for part in _key(c, data))
    text = data[node.start_byte : node.end_byte].decode()
    if node.type == "quoted_key":
        return (str(tomllib.loads(f"k = {text}")["k"]),)
    return (text,)


def _place(node: tree_sitter.Node, data: bytes) -> _Place:
    row, column = node.start_point
    start = node.start_byte - column
    return row + 1, len(data[start : node.start_byte].decode("utf-8", "replace")) + 1
