"""How risky a program is: read, change or destroy, and what makes it so.

Judged from its parsed arguments. What is not known counts as a change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from warroom.runbooks import verbs
from warroom.runbooks.model import Assessment, Risk
from warroom.runbooks.shell import Command, Program, commands
from warroom.runbooks.sql import sql_risk
from warroom.runbooks.unwrap import base_name, operands, unwrapped

_HARMLESS_TARGETS: Final = ("/dev/null", "/dev/stderr", "/dev/stdout", "/dev/tty")
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash"})
_DEEPEST: Final = 3
_LONGEST: Final = 4096
"""Characters of shell text within an argument that are read; nobody reviews a longer one."""
_NOTHING: Final = Assessment(Risk.READ, "does nothing by itself")


def command_risk(command: Command, depth: int = 0) -> Assessment:
    """The worst of a command's programs and of how they are joined."""
    worst = _NOTHING
    for program in command.programs:
        worst = _worse(worst, program_risk(program, depth))
    return worst


def text_risk(text: str, depth: int = 0) -> Assessment:
    """The worst command of a piece of shell text."""
    if len(text) > _LONGEST or depth > _DEEPEST:
        return Assessment(Risk.CHANGE, "too long or too deep to read")
    worst = _NOTHING
    for command in commands(text):
        worst = _worse(worst, command_risk(command, depth))
    return worst


def program_risk(program: Program, depth: int = 0) -> Assessment:
    """What one program does, seen through `sudo`, `docker exec`, `ssh host` and the like."""
    written = _redirected(program)
    argv = unwrapped(program.argv)
    if not argv:
        return written
    name = base_name(argv[0])
    inner = replace(program, argv=(name, *argv[1:]))
    if name in _SHELLS:
        found = _shell(inner, depth)
    elif name == "watch":
        found = text_risk(" ".join(operands(argv[1:], "-n")), depth + 1)
    elif argv != program.argv and " " in argv[0]:  # ssh host 'df -h; free -m': one word
        found = text_risk(" ".join(argv), depth + 1)
    else:
        found = _SPECIAL.get(name, _by_table)(inner)
    return _worse(found, written)


def _worse(one: Assessment, other: Assessment) -> Assessment:
    return other if other.risk.rank > one.risk.rank or one is _NOTHING else one


def _redirected(program: Program) -> Assessment:
    for redirect in program.redirects:
        target = redirect.target
        if not redirect.op.startswith((">", "&>")) or redirect.op == ">&":
            continue
        if target not in _HARMLESS_TARGETS:
            empties = not program.argv or program.argv == (":",)
            if empties and redirect.op != ">>":
                return Assessment(Risk.DESTROY, f"empties {target}")
            return Assessment(Risk.CHANGE, f"writes to {target}")
    return _NOTHING


def _shell(program: Program, depth: int) -> Assessment:
    argv = program.argv
    if "-c" in argv[1:-1]:
        return text_risk(argv[argv.index("-c") + 1], depth + 1)
    if program.stdin:
        return text_risk(program.stdin, depth + 1)
    if program.after == "|":
        return Assessment(Risk.CHANGE, "runs what comes through the pipe")
    if len(argv) > 1:
        return Assessment(Risk.CHANGE, f"runs the script {argv[1]}")
    return Assessment(Risk.CHANGE, "opens a shell")


def _by_table(program: Program) -> Assessment:
    name = program.argv[0]
    if name in verbs.DESTROYERS or name.startswith("mkfs."):
        return Assessment(Risk.DESTROY, f"{name} takes away for good")
    if name in verbs.READERS:
        if set(program.argv) & set(verbs.CHANGING_FLAGS.get(name, ())):
            return Assessment(Risk.CHANGE, f"{name} with an option that writes")
        if name == "hostname" and operands(program.argv[1:]):
            return Assessment(Risk.CHANGE, "hostname sets a name")
        return Assessment(Risk.READ, f"{name} only looks")
    if name in verbs.SUBCOMMANDS:
        return _subcommand(name, program.argv)
    return Assessment(Risk.CHANGE, f"what {name} does is not known")


def _subcommand(name: str, argv: Sequence[str]) -> Assessment:
    """By the verb: `docker ps`, `docker system prune`, `kubectl rollout undo`.

    Only the word in the verb's place counts: `docker restart logs` restarts what is called so.
    """
    table = verbs.SUBCOMMANDS[name]
    given = operands(argv[1:], "-n", "--namespace", "-f", "--file", "-C", "--context", "-H")
    path = given[1:] if name == "service" else given
    shown = " ".join([name, *path[:2]])
    flags = set(argv)
    if name in ("docker", "docker-compose") and "down" in path and flags & {"-v", "--volumes"}:
        return Assessment(Risk.DESTROY, f"{shown} with volumes")
    if name == "git" and _git_destroys(path, flags):
        return Assessment(Risk.DESTROY, f"{shown} throws work away")
    nouns = verbs.NOUNS.get(name, frozenset())
    while path and path[0] in nouns and path[0] not in table:
        path = path[1:]
        if not path:
            return Assessment(Risk.READ, f"{shown} lists")
    risk = table.get(path[0], Risk.CHANGE) if path else Risk.CHANGE
    if risk is Risk.READ and path[1:2] and path[1] in verbs.ACTS:
        risk = Risk.CHANGE  # `doctl databases backups restore`: a verb where none is known
    return Assessment(risk, f"{shown} {_SAYS[risk]}")


_SAYS: Final = {
    Risk.READ: "only looks",
    Risk.CHANGE: "changes something",
    Risk.DESTROY: "takes away for good",
}


def _git_destroys(path: Sequence[str], flags: set[str]) -> bool:
    forced = flags & {"--force", "-f", "--hard", "--force-with-lease", "-D"}
    return bool(forced) and path[:1] in (["push"], ["reset"], ["branch"], ["checkout"])


def _curl(program: Program) -> Assessment:
    argv = program.argv
    method, body = "", False
    for index, word in enumerate(argv[1:], 1):
        following = argv[index + 1] if index + 1 < len(argv) else ""
        if word in ("-X", "--request"):
            method = following.upper()
        elif word.startswith("-X"):
            method = word[2:].upper()
        elif word.startswith("--request="):
            method = word.partition("=")[2].upper()
        elif word.startswith(("-d", "--data", "-F", "--form", "-T", "--upload-file", "--json")):
            body = True
        elif word in ("-o", "-O", "--output") and following not in _HARMLESS_TARGETS:
            return Assessment(Risk.CHANGE, "curl writes a file")
    method = method or ("POST" if body else "GET")
    if method in ("GET", "HEAD", "OPTIONS"):
        return Assessment(Risk.READ, f"curl sends a {method}")
    risk = Risk.DESTROY if method == "DELETE" else Risk.CHANGE
    return Assessment(risk, f"curl sends a {method}")


def _wget(program: Program) -> Assessment:
    argv = program.argv
    looks = "--spider" in argv or any(w in ("-O-", "-qO-") or w.endswith("O-") for w in argv)
    return Assessment(Risk.READ, "wget only looks") if looks else Assessment(
        Risk.CHANGE, "wget writes a file"
    )  # fmt: skip


def _sql_client(program: Program) -> Assessment:
    name, argv = program.argv[0], program.argv
    texts = [program.stdin] if program.stdin else []
    for index, word in enumerate(argv[:-1]):
        if word in ("-c", "-e", "--command", "--execute"):
            texts.append(argv[index + 1])
    texts += [w.partition("=")[2] for w in argv if w.startswith(("--command=", "--execute="))]
    if any(redirect.op == "<" for redirect in program.redirects) or "-f" in argv:
        return Assessment(Risk.CHANGE, f"{name} runs a whole file")
    if texts:
        return sql_risk(";".join(texts))
    if "-l" in argv or "--list" in argv:
        return Assessment(Risk.READ, "lists databases")
    return Assessment(Risk.CHANGE, f"{name} opens a prompt")


def _redis(program: Program) -> Assessment:
    argv = program.argv
    given = operands(argv[1:], "-h", "-p", "-a", "-u", "-n", "-s", "--user", "--pass", keep=True)
    verb = [word.lower() for word in given]
    if not verb:
        return Assessment(Risk.CHANGE, "redis-cli opens a prompt")
    risk = verbs.REDIS_PAIRS.get((verb[0], verb[1])) if len(verb) > 1 else None
    risk = risk or verbs.REDIS.get(verb[0], Risk.CHANGE)
    return Assessment(risk, f"Redis {verb[0].upper()} {_SAYS[risk]}")


def _find(program: Program) -> Assessment:
    argv = program.argv
    if "-delete" in argv:
        return Assessment(Risk.DESTROY, "find -delete takes away for good")
    for option in ("-exec", "-execdir", "-ok"):
        if option in argv:
            inner = Program(tuple(argv[argv.index(option) + 1 :]))
            return program_risk(inner, _DEEPEST)
    return Assessment(Risk.READ, "find only looks")


def _in_place(program: Program) -> Assessment:
    name, argv = program.argv[0], program.argv
    edits = any(re.match(r"-[a-zA-Z]*i|--in-place", word) for word in argv[1:])
    if name == "sed":  # GNU sed's w and e: as a command, or as a flag of s///
        edits = edits or any(_SED_ACTS.search(word) for word in argv[1:])
    return Assessment(Risk.CHANGE, f"{name} edits files") if edits else Assessment(
        Risk.READ, f"{name} only looks"
    )  # fmt: skip


_SED_ACTS: Final = re.compile(r"(?:^|[;}])\s*[we]\s|/[a-z0-9]{0,9}[ew][a-z0-9]{0,9}(?:\s|;|$)")


def _awk(program: Program) -> Assessment:
    text = " ".join(program.argv[1:])
    printed = text.partition("print")[2]
    acts = "system(" in text or "inplace" in text or "getline" in text
    acts = acts or "|" in printed or ">" in printed
    return Assessment(Risk.CHANGE, "awk writes or runs something") if acts else Assessment(
        Risk.READ, "awk only looks"
    )  # fmt: skip


def _nginx(program: Program) -> Assessment:
    argv = program.argv
    if set(argv[1:]) & {"-t", "-T", "-v", "-V", "-h"} and "-s" not in argv:
        return Assessment(Risk.READ, "nginx tests or shows its configuration")
    return Assessment(Risk.CHANGE, "nginx is signalled or started")


def _journalctl(program: Program) -> Assessment:
    argv = program.argv
    if any(word.startswith("--vacuum") for word in argv):
        return Assessment(Risk.DESTROY, "journalctl --vacuum deletes logs")
    return Assessment(Risk.READ, "journalctl only looks")


def _aws(program: Program) -> Assessment:
    """`aws SERVICE OPERATION`: the operation's first word says it."""
    argv = program.argv
    given = operands(argv[1:], "--region", "--profile")
    verb = given[1].partition("-")[0] if len(given) > 1 else ""
    if verb in ("describe", "get", "list", "ls", "head", "filter", "lookup"):
        return Assessment(Risk.READ, f"aws {given[1]} only looks")
    if verb in ("delete", "terminate", "rm", "rb", "remove", "purge"):
        return Assessment(Risk.DESTROY, f"aws {given[1]} takes away for good")
    return Assessment(Risk.CHANGE, f"aws {' '.join(given[:2])} changes something")


def _tar(program: Program) -> Assessment:
    argv = program.argv
    lists = len(argv) > 1 and "t" in argv[1].lstrip("-") and not argv[1].startswith("--")
    return Assessment(Risk.READ, "tar lists") if lists else Assessment(
        Risk.CHANGE, "tar writes files"
    )  # fmt: skip


def _openssl(program: Program) -> Assessment:
    argv = program.argv
    looks = argv[1:2] and argv[1] in ("s_client", "x509", "verify", "version", "ciphers", "crl")
    return Assessment(Risk.READ, "openssl only looks") if looks else Assessment(
        Risk.CHANGE, "openssl makes or changes something"
    )  # fmt: skip


def _ssh(program: Program) -> Assessment:
    return Assessment(Risk.CHANGE, f"opens a shell on {program.argv[-1]}")


_Judge = Callable[[Program], Assessment]
_SPECIAL: Final[dict[str, _Judge]] = {
    "curl": _curl, "wget": _wget, "redis-cli": _redis, "valkey-cli": _redis, "find": _find,
    "psql": _sql_client, "mysql": _sql_client, "mariadb": _sql_client, "sqlite3": _sql_client,
    "sed": _in_place, "yq": _in_place, "nginx": _nginx, "aws": _aws,
    "journalctl": _journalctl, "ssh": _ssh, "awk": _awk, "gawk": _awk, "mawk": _awk,
    "tar": _tar, "openssl": _openssl,
}  # fmt: skip

KNOWN: Final = (
    verbs.READERS | verbs.DESTROYERS | _SHELLS | frozenset(verbs.SUBCOMMANDS) | frozenset(_SPECIAL)
    | verbs.word_set("sudo watch xargs nohup timeout kill pkill killall chmod chown mv cp ln mkdir")
    | verbs.word_set("touch tee make npm npx yarn node python python3 pip apachectl ansible pm2")
    | verbs.word_set("iptables nft rsync scp pg_dump pg_restore mysqldump pg_isready mysqladmin")
)  # fmt: skip
"""Programs that are taken for such when a line begins with one."""
