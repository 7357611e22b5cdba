"""The team's runbooks as somebody has seen them: what changes on disk meanwhile waits.

A book is read once, with the check that a config gets, too (`config.trust`). From then on its file
is only looked at: one that is another file by now, or that others may write to, keeps its steps
from running until somebody has seen what changed and confirmed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warroom.config import trust
from warroom.config.find import Found, How
from warroom.config.problems import ConfigError
from warroom.domain.text import harmless
from warroom.hosts import tasks

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.runbooks.model import Runbook

EVERY_S: Final = 3.0
"""Seconds between looks at the files."""
MOST_BOOKS: Final = 100
"""With those that links led to."""
_MOST_COMPARED: Final = 1500
"""Lines; beyond that what changed is not worked out line by line."""
_AROUND: Final = 2
_MARKDOWN: Final = frozenset({".md", ".markdown", ".mdown"})


class NoSuchBook(Exception):
    """A link that leads to no runbook that may be opened, and why."""


@dataclass(frozen=True, slots=True)
class Book:
    """One file: `name` is what people call it (harmless), `digest` that of its bytes (as
    `config.load.digest` makes it), `text` what stands in it."""

    path: Path
    name: str
    runbook: Runbook
    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a book's file: `fresh` is how it is now, or `refused` says why it may not be
    used any more."""

    book: Book
    fresh: Book | None = None
    refused: str = ""

    @property
    def says(self) -> str:
        """In one line, with what to do."""
        if self.fresh is None:
            return f"{self.book.name}: its steps do not run: {self.refused}"
        return f"{self.book.name} changed on disk: look at what changed and confirm it first"

    @property
    def lines(self) -> tuple[str, ...]:
        """The changed lines with those around them, as `diff -u` writes them."""
        return difference(self.book.text, self.fresh.text) if self.fresh else (self.refused,)


class Shelf:
    """Every runbook of a room, in the order of the config; those named on the command line
    first, those that links led to last. `root` is the folder that links may not leave."""

    def __init__(self, books: Iterable[Book] = (), root: Path | None = None) -> None:
        self.books = tuple(books)
        self.root = root or Path.cwd()
        self.changes: dict[Path, Change] = {}
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._fresh: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Look at the files every few seconds."""
        self._tasks = [asyncio.create_task(self._watch(), name="shelf")] if self.books else []

    async def stop(self) -> None:
        await tasks.end(self._tasks)

    def news(self) -> list[str]:
        """What changed since this was asked last, a line for each book."""
        said, self._fresh = self._fresh, []
        return said

    def look(self) -> None:
        """Compare every file that does not look as it did; reads no file that does."""
        self._take([_state(book.path) for book in self.books])

    def _take(self, states: Sequence[tuple[int, ...] | None]) -> None:
        for book, state in zip(self.books, states, strict=False):
            if state is None or self._seen.get(book.path) != state:
                self._compare(book)
            if state is not None:
                self._seen[book.path] = state

    def stale(self, book: Book) -> str:
        """Why a step of `book` may not run; empty when the file is to the byte what was shown.
        Reads the file: for the moment before something runs."""
        if all(known.digest != book.digest for known in self.books if known.path == book.path):
            return f"{book.name} was read anew since: open the step again"
        change = self._compare(book)
        return change.says if change else ""

    def confirm(self, change: Change) -> Book:
        """Somebody has seen `change`: what the file held then counts from now on. Raises
        ConfigError when it may not be used, or is another one again."""
        if change.fresh is None:
            raise ConfigError(change.refused)
        now = self._compare(change.book)
        if now is not None and (now.fresh is None or now.fresh.digest != change.fresh.digest):
            raise ConfigError(f"{change.book.name} changed once more: look again")
        fresh = change.fresh if now is not None else change.book
        self.books = tuple(fresh if b.path == fresh.path else b for b in self.books)
        self.changes.pop(fresh.path, None)
        return fresh

    def follow(self, book: Book, target: str) -> tuple[Book, int]:
        """The book that a link of `book` leads to, put on the shelf, and the line of its anchor.

        Only a Markdown file below `root`, by a path that is relative to the book's; a page on the
        web is nothing that warroom fetches. Raises NoSuchBook, ConfigError.
        """
        if "://" in target or target.startswith(("mailto:", "/", "~")):
            raise NoSuchBook("only files beside this one are opened; copy it and open it yourself")
        name, _, anchor = target.partition("#")
        path = book.path.parent / name if name else book.path
        if path.suffix.casefold() not in _MARKDOWN and path != book.path:
            raise NoSuchBook(f"{harmless(name)} is no Markdown file")
        found = self._at(path, harmless(name), book.path.parent)
        return found, _line_of(found, anchor)

    def _at(self, path: Path, called: str, beside: Path) -> Book:
        try:
            whole = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):  # RuntimeError: links that go round
            raise NoSuchBook(f"{called} is not there") from None
        for book in self.books:
            if book.path.resolve() == whole:
                return book
        if not any(whole.is_relative_to(folder.resolve()) for folder in (self.root, beside)):
            raise NoSuchBook(f"{called} is outside {harmless(str(self.root))}")
        if len(self.books) >= MOST_BOOKS:
            raise NoSuchBook(f"{MOST_BOOKS} runbooks are open already")
        book = read_book(whole, self.root.resolve())
        self.books = (*self.books, book)
        return book

    def _compare(self, book: Book) -> Change | None:
        """What became of the file since `book` was read; None when nothing did."""
        before = self.changes.get(book.path)
        try:
            verdict = _checked(book.path)
            if verdict.digest == book.digest:
                self.changes.pop(book.path, None)
                return None
            now = Change(book, _made(verdict, book.path, book.name))
        except ConfigError as error:
            now = Change(book, refused=str(error))
        self.changes[book.path] = now
        if before is None or before.says != now.says:
            self._fresh.append(now.says)
        return now

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self._take(await asyncio.to_thread(_states, [book.path for book in self.books]))


def read_shelf(settings: Settings, named: Iterable[str] = ()) -> Shelf:
    """The runbooks that the config's patterns find, and those `named`. Raises ConfigError for one
    that cannot be read or that others may write to."""
    folder = _folder(settings)
    return Shelf((read_book(path, folder) for path in _paths(settings, named)), folder)


def read_book(path: Path, folder: Path) -> Book:
    """The file at `path`, called by where it lies under `folder`. Raises ConfigError."""
    whole = path.absolute()
    called = whole.relative_to(folder) if whole.is_relative_to(folder) else path.name
    return _made(_checked(path), path, harmless(str(called)))


def _checked(path: Path) -> trust.Verdict:
    """What the file holds. Raises ConfigError when it may not be used."""
    verdict = trust.check(Found(path, How.OPTION))
    if verdict.refused:
        raise ConfigError(verdict.refused)
    return verdict


def _made(verdict: trust.Verdict, path: Path, name: str) -> Book:
    from warroom.runbooks.model import RunbookError
    from warroom.runbooks.parse import decoded, parse

    try:
        text = decoded(verdict.content)
        runbook = parse(text)
    except RunbookError as error:
        raise ConfigError(f"{harmless(str(path))}: {error}") from error
    return Book(path.absolute(), name, runbook, verdict.digest, text)


def difference(before: str, after: str) -> tuple[str, ...]:
    """What changed from one text to the other, a line each, harmless: `-` was, `+` is."""
    old, new = before.splitlines(), after.splitlines()
    start = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
        min(len(old), len(new)),
    )
    if max(len(old), len(new)) - start > _MOST_COMPARED:
        tail = [f"@@ line {start + 1} and what follows: {len(old)} lines before, {len(new)} now @@"]
        return tuple(map(harmless, tail + [f"+{line}" for line in new[start : start + 200]]))
    import difflib

    begin = max(0, start - _AROUND)
    made = difflib.unified_diff(old[begin:], new[begin:], n=_AROUND, lineterm="")
    return tuple(_placed(line, begin) for line in list(made)[2:])


def _placed(line: str, offset: int) -> str:
    """The line numbers of a hunk count from the beginning of the file."""
    if not line.startswith("@@"):
        return "\t".join(harmless(piece) for piece in line.split("\t"))
    words = line.split(" ")
    for index in (1, 2):
        sign, (first, comma, count) = words[index][0], words[index][1:].partition(",")
        words[index] = f"{sign}{int(first) + offset}{comma}{count}"
    return " ".join(words)


def _line_of(book: Book, anchor: str) -> int:
    """The line of the heading with that anchor, as GitHub gives them; the first without."""
    from warroom.runbooks.links import slug

    if not anchor:
        return 1
    for number, line in enumerate(book.text.split("\n"), 1):
        if line.startswith("#") and slug(line.lstrip("#").strip()) == anchor.casefold():
            return number
    return 1


def _states(paths: Iterable[Path]) -> list[tuple[int, ...] | None]:
    return [_state(path) for path in paths]


def _state(path: Path) -> tuple[int, ...] | None:
    """What tells that a file is another one, or written to, or open to others; None: not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns,
        found.st_mode, found.st_uid,
    )  # fmt: skip


def _folder(settings: Settings) -> Path:
    return settings.file.parent.absolute() if settings.file else Path.cwd()


def _paths(settings: Settings, named: Sequence[str] | Iterable[str]) -> list[Path]:
    folder = _folder(settings)
    paths = [Path(name) for name in named]
    for pattern in settings.incident.runbooks:
        place = Path(pattern).expanduser()
        if place.is_absolute():
            paths += sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))))
        else:
            paths += sorted(folder.glob(pattern))
    return list({path.absolute(): path for path in paths}.values())
