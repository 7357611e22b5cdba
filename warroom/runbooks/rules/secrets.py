"""Secrets where others can read them: on a command line (`ps` shows it, the shell's history keeps
it), on a shared screen, or in the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from warroom.runbooks.model import LintFinding, Step
from warroom.runbooks.rules import catalogue as rule
from warroom.runbooks.unwrap import base_name, unwrapped

_SECRET_NAME: Final = re.compile(
    r"\$\{?[A-Z0-9_]{0,60}?(?:KEY|TOKEN|SECRET|PASSW(?:OR)?D|CREDENTIAL|_DSN|DATABASE_URL|REDIS_URL)"
    r"[A-Z0-9_]{0,60}\}?"
)
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/?#:\s@]{0,80}:([^/?#\s@]{1,200})@")
_MYSQL: Final = frozenset({"mysql", "mariadb", "mysqldump", "mysqladmin", "mariadb-dump"})
_ASSIGNED: Final = re.compile(r"(?:PGPASSWORD|MYSQL_PWD|REDISCLI_AUTH|[A-Z_]{0,60}PASSWORD)=(.+)")
_PRINTERS: Final = frozenset({"echo", "printf", "cat"})
_ENV_FILE: Final = re.compile(r"(?:^|/)\.env(?:\.\w+)?$|\.pem$|id_(?:rsa|ed25519)$")
_LITERAL: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abprs]-[A-Za-z0-9-]{10,80}"
    r"|\bsk-(?:proj-|live_)?[A-Za-z0-9_-]{20,80}|\bdop_v1_[0-9a-f]{64}|\bglpat-[A-Za-z0-9_-]{20}"
    r"|-----BEGIN (?:[A-Z]{1,10} )?PRIVATE KEY-----|\beyJ[A-Za-z0-9_-]{10,400}\.eyJ"
    r"|hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{16,40}"
)
"""Keys of AWS, GitHub, Slack, OpenAI, Stripe, DigitalOcean, GitLab; PEM (RFC 7468), JWT (RFC 7519):
shapes that nothing else has."""


def of_step(step: Step) -> Iterator[LintFinding]:
    for offset, text in enumerate(step.command.split("\n")):
        if _LITERAL.search(text):
            first = step.line + (0 if step.language == "inline" else 1)
            yield rule.SECRET_IN_FILE.at(first + offset, "holds a key that everybody can read")
    for part in step.parts:
        for program in part.programs:
            argv = unwrapped(program.argv)
            if argv:
                line = part.line + program.line
                yield from _on_command_line(line, argv, program.assigns)
                yield from _expanded(line, argv)
                yield from _echoed(line, argv)


def _on_command_line(
    line: int, argv: tuple[str, ...], assigns: tuple[str, ...]
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
        why = "a password on the command line: ps and the history show it"
        yield rule.SECRET_ON_COMMAND_LINE.at(line, why, better)


_SAFER: Final = {
    "psql": "name a service: psql service=shop, with ~/.pg_service.conf and ~/.pgpass",
    "redis-cli": "set REDISCLI_AUTH and give -h HOST",
    "curl": "curl --config FILE with the header in a file of mode 0600",
}


def _expanded(line: int, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    """The shell puts the value there: for as long as it runs, /proc/PID/cmdline has it."""
    name = base_name(argv[0])
    found = next((match for word in argv[1:] if (match := _SECRET_NAME.search(word))), None)
    if name in _SAFER and found:
        why = f"{found[0]} may hold a password, which ps shows while {name} runs"
        yield rule.SECRET_EXPANDED.at(line, why, _SAFER[name])


def _is_mysql_password(word: str) -> bool:
    value = word[2:] if word.startswith("-p") else word.partition("--password=")[2]
    return bool(value) and value[0] not in "$<" and not word.startswith("-port")


def _value(argv: tuple[str, ...], *options: str) -> str:
    for index, word in enumerate(argv[:-1]):
        if word in options and argv[index + 1][:1] not in ("$", "<"):
            return argv[index + 1]
    return ""


def _echoed(line: int, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    name = base_name(argv[0])
    shown, better = "", ""
    if name in _PRINTERS and (found := _SECRET_NAME.search(" ".join(argv[1:]))):
        shown = found[0]
    elif name in ("cat", "less", "head") and any(_ENV_FILE.search(word) for word in argv[1:]):
        shown, better = "a file of secrets", "print the names alone: cut -d= -f1 FILE"
    elif name in ("env", "printenv") and len(argv) == 1:
        shown, better = "the whole environment", "print the names alone: env | cut -d= -f1"
    elif argv[:3] == ("doctl", "databases", "connection"):
        shown, better = "the connection string with its password", "--format Host,Port,Database"
    if shown:
        yield rule.SECRET_ECHOED.at(line, f"prints {shown} on what may be a shared screen", better)
