"""A command with its placeholders filled in, such that a value is one word or a part of one, and
never a program.

Three fences, one behind the other: where a placeholder stands decides how its value is written
(a bare word is quoted; anywhere else only harmless characters are taken); a value never stands
where a program's name does, nor unquoted before one that reads its arguments as a program again;
and what came out is read anew: it must have the same programs, with the values in their words.
Variables (`$NAME`) stay as they are: they travel in the environment.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from warroom.runbooks.placeholders import placeholders
from warroom.runbooks.shell import Command, Program, commands
from warroom.runbooks.unwrap import base_name, layers, operands
from warroom.runbooks.verbs import word_set

_HARMLESS: Final = re.compile(r"[A-Za-z0-9_.:/@%+,=-]+")
_SECRET: Final = re.compile(
    r"token|secret|passw|passphrase|credential|\bpin\b"
    r"|(?:api|private|access|auth|sign\w{0,3})[ _-]?key",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(r"TOKEN|SECRET|PASSW|KEY|AUTH|CREDENTIAL|DSN|URL|URI|CONN", re.I)
"""In what a variable is called; a `<key>` of a table or a cache is none."""
_READ_AGAIN: Final = word_set("""
    ssh eval watch su sh bash zsh dash ksh ash source . env python python2 python3 perl ruby node
    php lua awk gawk mawk sed psql mysql mariadb sqlite3 mongosh mongo xargs
    parallel find test [ [[ let declare typeset local export readonly printf unset read trap alias
    timeout script expect tmux screen at crontab busybox
""")
"""Programs that read their arguments as a program, an expression or a name again."""
_LOOP: Final = re.compile(r"(?:^|[\s;&|(])(?:for|select|coproc)\s")
"""What it lists is split again wherever its variable stands without quotes."""
_EDGE: Final = frozenset(" \t\n;|&()")
_DEEPEST: Final = 3
_SPLITS: Final = re.compile(r"[\s*\[]")


class Unfillable(Exception):
    """A value that cannot be put in, and why; nothing runs."""


class Where(StrEnum):
    """How a shell reads a character."""

    PLAIN = "plain"
    SINGLE = "within single quotes"
    DOUBLE = "within double quotes"
    COMMENT = "in a comment"
    DEEP = "within another command or a here-document"


def is_secret(name: str) -> bool:
    """Whether a placeholder's name says that its value is not to be shown.

    >>> is_secret("<api-token>"), is_secret("<key>"), is_secret("$DATABASE_URL")
    (True, False, True)
    """
    return bool((_VARIABLE if name.startswith("$") else _SECRET).search(name))


def variable_of(name: str) -> str:
    """The variable that carries a placeholder's value.

    >>> variable_of("<api-token>"), variable_of("$DATABASE_URL")
    ('API_TOKEN', 'DATABASE_URL')
    """
    bare = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()
    return bare if bare and not bare[0].isdigit() else f"_{bare}"


def wanted(text: str) -> tuple[str, ...]:
    """What has to be filled in before `text` runs; what has a default of its own does not.

    >>> wanted('doctl apps get <app-id> --url "$URL" --to ${REGION:-fra1}')
    ('<app-id>', '$URL')
    """
    names = placeholders(text)
    return tuple(n for n in names if not (n[0] == "$" and re.search(rf"\$\{{{n[1:]}:?[-=]", text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with `values` (by placeholder, `$NAME` left out) in it. The value of one whose name
    sounds secret is not put in, but read from the variable `variable_of` it.

    >>> filled("doctl apps get <app-id>", {"<app-id>": "it's mine"})
    'doctl apps get \\'it\\'"\\'"\\'s mine\\''
    """
    names = [name for name in wanted(text) if not name.startswith("$")]
    if not names:
        return text
    for name in names:
        if name not in values:
            raise Unfillable(f"{name} is not filled in")
    before = commands(text)
    _refuse_places(before, names)
    again = _read_again(before) or ("in a loop's list" if _LOOP.search(text) else "")
    pattern = re.compile("|".join(re.escape(n) for n in sorted(names, key=len, reverse=True)))
    places = contexts(text)
    pieces, read, at = list[str](), dict[str, str](), 0
    for match in pattern.finditer(text):
        name = match[0]
        where = places[match.start()]
        if where is Where.COMMENT:
            continue
        written = _written(text, match, where, values[name], again)
        pieces += [text[at : match.start()], written]
        at = match.end()
        read[name] = f"${{{variable_of(name)}}}" if is_secret(name) else values[name]
    made = "".join(pieces) + text[at:]
    if _meaning(commands(made)) != [_replaced(m, pattern, read) for m in _meaning(before)]:
        raise Unfillable("with the value in it the command would be another one; copy it instead")
    return made


def _written(text: str, match: re.Match[str], where: Where, value: str, again: str) -> str:
    """What stands in the place of one placeholder. Raises Unfillable."""
    name = match[0]
    bare = where is Where.PLAIN and _is_word(text, match.start(), match.end())
    if is_secret(name):
        if again or where not in (Where.PLAIN, Where.DOUBLE):
            raise Unfillable(f"{name} is a secret, and cannot stand {again or where}")
        read = f"${{{variable_of(name)}}}"
        return read if where is Where.DOUBLE else f'"{read}"'
    if _begins_word(text, match.start(), where) and value.startswith("-"):
        raise Unfillable(f"{name}: {value} looks like an option, and would be taken for one")
    if bare and not again:
        return shlex.quote(value)
    if not _HARMLESS.fullmatch(value):
        place = again or ("within a larger word" if where is Where.PLAIN else str(where))
        only = "letters, digits and _ . : / @ % + , = -"
        raise Unfillable(f"{name} stands {place}: only {only} are put in there")
    if (again or where in (Where.PLAIN, Where.DEEP)) and _in_braces(text, match.start()):
        raise Unfillable(f"{name} stands within braces, which the shell expands: copy it")
    return value


def _is_word(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return before in _EDGE and after in _EDGE


def _in_braces(text: str, start: int) -> bool:
    """Whether a brace is opened in the same word: `{a,b}`, `{1..9}`."""
    begin = start
    while begin and text[begin - 1] not in _EDGE:
        begin -= 1
    return "{" in text[begin:start]


def _begins_word(text: str, start: int, where: Where) -> bool:
    before = text[start - 1] if start else " "
    return before in _EDGE or (where is not Where.PLAIN and before in "'\"")


def _refuse_places(listed: Sequence[Command], names: Sequence[str], depth: int = 0) -> None:
    """A value is never a program's name. Raises Unfillable."""
    for program in (program for command in listed for program in command.programs):
        for argv in layers(program.argv):
            found = next((name for name in names if name in argv[0] and " " not in argv[0]), "")
            found = found or next((name for name in names if name == argv[0]), "")
            if found:
                raise Unfillable(f"{found} stands where a program does: copy it and type it")
            for text in _texts(argv) if depth < _DEEPEST else ():
                _refuse_places(commands(text), names, depth + 1)
        for assign in program.assigns:
            if any(name in assign.partition("=")[0] for name in names):
                raise Unfillable("a placeholder is the name of a variable: copy it and type it")


def _texts(argv: tuple[str, ...]) -> Iterator[str]:
    """What a program takes for shell text."""
    name = base_name(argv[0])
    if " " in argv[0]:
        yield " ".join(argv)  # ssh host 'df -h; free -m': one word
    elif name == "eval":
        yield " ".join(argv[1:])
    elif name == "watch":
        yield " ".join(operands(argv[1:], "-n"))
    elif "-c" in argv[1:-1]:
        yield argv[argv.index("-c") + 1]


def _read_again(listed: Sequence[Command]) -> str:
    """Which program reads its arguments again, in words; empty when none does."""
    for program in (program for command in listed for program in command.programs):
        for argv in layers(program.argv):
            if base_name(argv[0]) in _READ_AGAIN or " " in argv[0]:
                return f"before {base_name(argv[0])}, which reads it once more"
    return ""


_Meaning = tuple[tuple[str, ...], ...]


def _meaning(listed: Sequence[Command]) -> list[_Meaning]:
    return [_said(program) for command in listed for program in command.programs]


def _said(program: Program) -> _Meaning:
    redirects = tuple(word for one in program.redirects for word in (one.op, one.target))
    return program.argv, program.assigns, redirects, (program.stdin, program.after)


def _replaced(meaning: _Meaning, pattern: re.Pattern[str], read: Mapping[str, str]) -> _Meaning:
    def put(word: str) -> str:
        return pattern.sub(lambda match: read.get(match[0], match[0]), word)

    return tuple(tuple(put(word) for word in words) for words in meaning)


# Where a character stands -----------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"<[A-Za-z][A-Za-z0-9 _.-]{0,60}>|\$\{[A-Za-z_]\w*\}|\\.|'[^']*'|\$'(?:\\.|[^'\\])*'|\$\("
    r"|\$\{|`|[<>]\(|\(\(|<<<|<<|\"|#",
    re.DOTALL,
)
_IN_DOUBLE: Final = re.compile(r"\$\{[A-Za-z_]\w*\}|\\.|\$\(|\$\{|`|\"", re.DOTALL)


def contexts(text: str) -> list[Where]:
    """How a shell reads each character. Whatever is not plain to see is DEEP."""
    marks, at = [Where.PLAIN] * len(text), 0
    while match := _TOKEN.search(text, at):
        token, at = match[0], match.end()
        if token[-1] in ">}":
            continue  # a placeholder, or a variable by its name alone
        if token == "#":
            if match.start() and text[match.start() - 1] not in _EDGE:
                continue
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            _mark(marks, match.start(), at, Where.COMMENT)
        elif token.startswith("'"):
            _mark(marks, match.start(), at, Where.SINGLE)
        elif token.startswith(("\\", "$'")):
            _mark(marks, match.start(), at, Where.DEEP)
        elif token == '"':
            at = _double(text, marks, match.start())
        elif token != "<<<":  # up to the end: nobody has to be sure where it is
            _mark(marks, match.start(), len(text), Where.DEEP)
            return marks
    return marks


def _double(text: str, marks: list[Where], start: int) -> int:
    """Marks what stands in double quotes; where that ends."""
    at = start + 1
    while match := _IN_DOUBLE.search(text, at):
        at = match.end()
        if match[0] == '"':
            _mark(marks, start, at, Where.DOUBLE)
            return at
        if not match[0].startswith("\\") and not match[0].endswith("}"):
            break
    _mark(marks, start, len(text), Where.DEEP)
    return len(text)


def _mark(marks: list[Where], start: int, end: int, where: Where) -> None:
    marks[start:end] = [where] * (end - start)


def splits(text: str, name: str, value: str) -> bool:
    """Whether the shell would make several words, or the names of files, of a variable's value:
    it has blanks or patterns, and stands somewhere without quotes."""
    if not _SPLITS.search(value):
        return False
    places = contexts(text)
    found = re.finditer(rf"\$(?:{name}\b|\{{{name}\}})", text)
    return any(places[match.start()] is not Where.DOUBLE for match in found)
