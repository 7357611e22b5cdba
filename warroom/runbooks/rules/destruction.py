"""What is gone afterwards: data without a backup, scope that is too wide, evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from warroom.runbooks.model import LintFinding, LintLevel, Part, Risk, Step
from warroom.runbooks.shell import Program
from warroom.runbooks.unwrap import base_name, operands, unwrapped

_KEEPS: Final = re.compile(r"\b(?:keep|except|only (?:old|recent)|older than)\b", re.IGNORECASE)
_EVIDENCE: Final = re.compile(r"^/var/log(?:/|$)|\.log$|/logs?/|syslog|journal")
_WIDE: Final = re.compile(r"[*?]|^/$|^~?/?$")


def of_step(step: Step) -> Iterator[LintFinding]:
    for part in step.parts:
        for program in part.programs:
            argv = unwrapped(program.argv)
            yield from _evidence(part, program, argv)
            if argv:
                yield from _removal(part, argv)
                yield from _too_wide(part, argv)


def _finding(part: Part, rule: str, message: str) -> LintFinding:
    return LintFinding(part.line, rule, LintLevel.ERROR, message)


def _removal(part: Part, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    if base_name(argv[0]) not in ("rm", "shred", "unlink"):
        return
    targets = operands(argv[1:])
    wide = [target for target in targets if _WIDE.search(target)]
    if any("backup" in target.casefold() for target in targets):
        says = " although the comment says to keep some" if _KEEPS.search(part.comment) else ""
        yield _finding(
            part,
            "destroys-backups",
            f"deletes every backup that matches{says}; delete by age instead: "
            "find DIR -name '*.sql' -mtime +14 -print, look, then -delete",
        )
    elif wide:
        message = f"deletes whatever {wide[0]} matches then; name the files, or list them first"
        yield _finding(part, "destroys-without-scope", message)


def _evidence(part: Part, program: Program, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    name = base_name(argv[0]) if argv else ""
    targets: list[str] = []
    if name in ("truncate", "rm", "shred"):
        targets = operands(argv[1:], "-s")
    if not argv or argv[0] in (":", "true") or argv[:2] == ("cat", "/dev/null"):
        targets += [r.target for r in program.redirects if r.op in (">", ">|")]
    lost = next((target for target in targets if _EVIDENCE.search(target)), "")
    if name == "journalctl" and any(word.startswith("--vacuum") for word in argv):
        lost = "the journal"
    if argv[:2] == ("pm2", "flush"):
        lost = "the logs of pm2"
    if lost:
        yield _finding(
            part,
            "destroys-evidence",
            f"empties {lost}, which the post-mortem needs; copy it elsewhere first, or make room "
            "with logrotate --force",
        )


def _too_wide(part: Part, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    if part.assessment.risk is not Risk.DESTROY:
        return
    words = [word.lower() for word in argv]
    if words[0] == "docker" and "prune" in words and {"-a", "--all", "--volumes"} & set(words):
        yield _finding(
            part,
            "destroys-without-scope",
            "removes every image that no container uses now, the one to roll back to among them; "
            "limit it: docker image prune --filter until=168h",
        )
    elif words[0] in ("redis-cli", "valkey-cli") and "flushall" in words:
        yield _finding(
            part,
            "destroys-without-scope",
            "empties every database of the server, sessions and queues too; "
            "delete by prefix with --scan and UNLINK, or FLUSHDB of the one that is only a cache",
        )
    elif words[0] in ("redis-cli", "valkey-cli") and "flushdb" in words:
        yield LintFinding(
            part.line,
            "destroys-without-scope",
            LintLevel.WARN,
            "empties the whole database at once and the load goes to what it shields; check with "
            "DBSIZE that it holds a cache only, and use FLUSHDB ASYNC",
        )
