"""What is gone afterwards: data without a backup, scope that is too wide, evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from warroom.runbooks.model import LintFinding, LintLevel, Part, Risk, Step
from warroom.runbooks.rules import catalogue as rule
from warroom.runbooks.shell import Program
from warroom.runbooks.unwrap import base_name, operands, unwrapped

_KEEPS: Final = re.compile(r"\b(?:keep|except|only (?:old|recent)|older than)\b", re.IGNORECASE)
_EVIDENCE: Final = re.compile(r"^/var/log(?:/|$)|\.log$|/logs?/|syslog|journal")
_WIDE: Final = re.compile(r"[*?]|^/$|^~?/?$")
_COPIES: Final = frozenset(
    {"pg_dump", "pg_dumpall", "pg_basebackup", "mysqldump", "mariadb-dump", "mariadb-backup",
     "xtrabackup", "mongodump", "restic", "borg", "rsync", "cp", "velero"}
)  # fmt: skip
_LOST: Final = re.compile(r"\b(?:drop\s+(?:table|database|schema)|truncate\s)", re.IGNORECASE)
_WHOLE: Final = re.compile(r"\bdelete\s+from\s+[\w.\"]+\s*(?:;|$)", re.IGNORECASE)


def of_step(step: Step) -> Iterator[LintFinding]:
    copied = False
    for part in step.parts:
        for program in part.programs:
            argv = unwrapped(program.argv)
            line = part.line + program.line
            yield from _evidence(line, program, argv)
            if argv:
                yield from _removal(line, part.comment, argv)
                yield from _too_wide(line, part, argv)
                yield from _whole_tables(line, argv)
            if not copied:
                yield from _overwritten(line, program, argv)
            copied = copied or _copies(argv)


def _copies(argv: tuple[str, ...]) -> bool:
    """Whether this makes a copy of data."""
    words = [word.lower() for word in argv]
    named = bool(argv) and base_name(argv[0]) in _COPIES
    return named or bool({"bgsave", "snapshot", "create-snapshot"} & set(words))


def _removal(line: int, comment: str, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    if base_name(argv[0]) not in ("rm", "shred", "unlink"):
        return
    targets = operands(argv[1:])
    wide = [target for target in targets if _WIDE.search(target)]
    if any("backup" in target.casefold() for target in targets):
        says = " although the comment says to keep some" if _KEEPS.search(comment) else ""
        yield rule.DESTROYS_BACKUPS.at(line, f"deletes every backup that matches{says}")
    elif wide:
        why = f"deletes whatever {wide[0]} matches then"
        better = "name the files, or list them first and look"
        yield rule.DESTROYS_WITHOUT_SCOPE.at(line, why, better)


def _evidence(line: int, program: Program, argv: tuple[str, ...]) -> Iterator[LintFinding]:
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
        why = f"empties {lost}, which the post-mortem needs"
        yield rule.DESTROYS_EVIDENCE.at(line, why)
    elif name in ("docker", "docker-compose", "podman") and _drops_containers(argv):
        why = "takes the container's own log with it, which the post-mortem needs"
        better = "keep it first: docker logs NAME > NAME.log 2>&1"
        yield rule.DESTROYS_EVIDENCE.at(line, why, better, LintLevel.WARN)


def _drops_containers(argv: tuple[str, ...]) -> bool:
    given = operands(argv[1:], "-f", "--file", "-p", "--project-name")
    verbs = given[1:2] if given[:1] in (["compose"], ["container"]) else given[:1]
    return verbs in (["rm"], ["down"]) or "--force-recreate" in argv


def _too_wide(line: int, part: Part, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    if part.assessment.risk is not Risk.DESTROY:
        return
    words = [word.lower() for word in argv]
    found = _why_too_wide(base_name(words[0]), words, frozenset(words))
    if found:
        why, better, level = found
        yield rule.DESTROYS_WITHOUT_SCOPE.at(line, why, better, level)


def _why_too_wide(
    name: str, words: list[str], given: frozenset[str]
) -> tuple[str, str, LintLevel | None] | None:
    if name == "docker" and "prune" in words and given & {"-a", "--all", "--volumes"}:
        what = "volumes and every image" if "--volumes" in given else "every image"
        return (
            f"removes {what} that no container uses now, the one to roll back to among them",
            "limit it: docker image prune --filter until=168h",
            None,
        )
    if name in ("redis-cli", "valkey-cli") and "flushall" in words:
        return (
            "empties every database of the server, sessions and queues too",
            "delete by prefix with --scan and UNLINK, or FLUSHDB of the one that is only a cache",
            None,
        )
    if name in ("redis-cli", "valkey-cli") and "flushdb" in words:
        return (
            "empties the whole database at once and the load goes to what it shields",
            "check with DBSIZE that it holds a cache only, and use FLUSHDB ASYNC",
            LintLevel.WARN,
        )
    if name == "kubectl" and given & {"--all", "namespace", "ns", "pvc"}:
        return (
            "deletes a whole namespace, its volumes, or all of a kind",
            "name the one: kubectl delete pod NAME; look first with --dry-run=server",
            None,
        )
    if name == "git" and (given & {"--force", "-f", "--hard"} or "clean" in words):
        return (
            "throws away work that no commit holds, or that somebody else pushed",
            "git stash -u, or git push --force-with-lease",
            LintLevel.WARN,
        )
    return None


def _whole_tables(line: int, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    for word in argv[1:]:
        if _WHOLE.search(word):
            better = "name the rows with WHERE, inside BEGIN, and count them before COMMIT"
            yield rule.DESTROYS_WITHOUT_SCOPE.at(line, "deletes every row", better)


def _overwritten(line: int, program: Program, argv: tuple[str, ...]) -> Iterator[LintFinding]:
    name = base_name(argv[0]) if argv else ""
    why = better = ""
    restores = any(r.op == "<" for r in program.redirects) and name in ("mysql", "mariadb", "psql")
    if restores or name in ("pg_restore", "mongorestore"):
        why = "writes a backup over what is there now, the rows since then among it"
        better = "dump the present state first, or restore beside it and compare"
    elif name == "tar" and len(argv) > 1 and "x" in argv[1] and "-C" in argv[2:]:
        why = f"unpacks over {argv[argv.index('-C') + 1] if argv[-1] != '-C' else 'a folder'}"
        better = "move the folder aside first, or unpack beside it and compare"
    elif any(_LOST.search(word) for word in argv[1:]) and name in ("psql", "mysql", "mariadb"):
        why, better = "drops data with no copy of it made before", "pg_dump or mysqldump it first"
    elif argv[:2] in (("terraform", "destroy"), ("docker", "volume")) and _removes(argv):
        why, better = f"{' '.join(argv[:3])} takes data away", "make a snapshot or an archive first"
    if why:
        yield rule.DESTROYS_WITHOUT_BACKUP.at(line, why, better)


def _removes(argv: tuple[str, ...]) -> bool:
    return argv[0] == "terraform" or bool({"rm", "remove", "prune"} & set(argv[2:3]))
