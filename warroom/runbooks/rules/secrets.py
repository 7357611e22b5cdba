"""Secrets where others can read them: on a command line (`ps` shows it, the shell's history keeps
it) or on a shared screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from warroom.runbooks.model import LintFinding, LintLevel, Part, Step
from warroom.runbooks.unwrap import base_name, unwrapped

_SECRET_NAME: Final = re.compile(
    r"\$\{?[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSW(?:OR)?D|CREDENTIAL|_DSN|DATABASE_URL)[A-Z0-9_]*\}?"
)
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/?#:\s@]{0,80}:([^/?#\s@]{1,200})@")
_MYSQL: Final = frozenset({"mysql", "mariadb", "mysqldump", "mysqladmin", "mariadb-dump"})
_ASSIGNED: Final = re.compile(r"(?:PGPASSWORD|MYSQL_PWD|REDISCLI_AUTH|[A-Z_]*PASSWORD)=(.+)")
_PRINTERS: Final = frozenset({"echo", "printf", "cat"})
_ENV_FILE: Final = re.compile(r"(?:^|/)\.env(?:\.\w+)?$|\.pem$|id_(?:rsa|ed25519)$")


def of_step(step: Step) -> Iterator[LintFinding]:
    for part in step.parts:
        for program in part.programs:
            argv = unwrapped(program.argv)
            if argv:
                yield from _on_command_line(part, argv, program.assigns)
                yield from _echoed(part, argv)


def _on_command_line(
    part: Part, argv: tuple[str, ...], assigns: tuple[str, ...]
) -> Iterator[LintFinding]:
    name = base_name(argv[0])
    better = ""
    if name in _MYSQL and any(_is_mysql_password(word) for word in argv[1:]):
        better = "use a file given by --defaults-extra-file, mode 0600"
    elif name in ("redis-cli", "valkey-cli") and _value(argv, "-a", "--pass"):
        better = "set REDISCLI_AUTH from a file of mode 0600"
    elif name in ("curl", "wget") and ":" in _value(argv, "-u", "--user", "--password"):
        better = "use --netrc-file or --config with a file of mode 0600"
    elif any((found := _URL.search(word)) and found[1][0] not in "$<*" for word in argv):
        better = "keep it in the environment or in a file of mode 0600"
    elif any((set_ := _ASSIGNED.fullmatch(a)) and set_[1][0] not in "$<`" for a in assigns):
        better = "read it from a file of mode 0600"
    if better:
        message = f"a password on the command line: ps and the history show it; {better}"
        yield LintFinding(part.line, "secret-on-command-line", LintLevel.ERROR, message)


def _is_mysql_password(word: str) -> bool:
    value = word[2:] if word.startswith("-p") else word.partition("--password=")[2]
    return bool(value) and value[0] not in "$<" and not word.startswith("-port")


def _value(argv: tuple[str, ...], *options: str) -> str:
    for index, word in enumerate(argv[:-1]):
        if word in options and argv[index + 1][:1] not in ("$", "<"):
            return argv[index + 1]
    return ""


def _echoed(part: Part, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    name = base_name(argv[0])
    text = " ".join(argv[1:])
    shown = ""
    if name in _PRINTERS and (found := _SECRET_NAME.search(text)):
        shown = found[0]
    elif name in ("cat", "less", "head") and any(_ENV_FILE.search(word) for word in argv[1:]):
        shown = "a file of secrets"
    elif name in ("env", "printenv") and len(argv) == 1:
        shown = "the whole environment"
    elif argv[:3] == ("doctl", "databases", "connection"):
        shown = "the connection string with its password"
    if shown:
        message = (
            f"prints {shown} on what may be a shared screen; "
            'test that it is set instead: [ -n "$NAME" ] && echo set'
        )
        yield LintFinding(part.line, "secret-echoed", LintLevel.ERROR, message)
