"""Where a part of a step runs, and how it behaves while it does. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from warroom.runbooks.model import Part
from warroom.runbooks.unwrap import base_name, layers, operands
from warroom.runbooks.verbs import word_set


class Misplaced(Exception):
    """Where it is meant to be typed cannot be reached safely, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """`ssh` is the destination to log in to (empty: none). `shell` is the argv of the shell that
    takes the text after it, `-c` included."""

    ssh: str = ""
    shell: tuple[str, ...] = ("bash", "-c")


_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9_.:/@%+,=-]+")
_SSH_FLAGS: Final = frozenset({"-t", "-tt", "-T", "-q", "-A", "-a", "-4", "-6", "-C", "-v"})
_TERMINALS: Final = frozenset({"-i", "-t", "-it", "-ti", "--interactive", "--tty", "--stdin"})
_EXEC_VALUES: Final = frozenset(
    {"-u", "--user", "-w", "--workdir", "-n", "--namespace", "-c", "--container"}
)
_REPLS: Final = frozenset({"psql", "mysql", "mariadb", "redis-cli", "valkey-cli", "mongosh"})


def placed(within: tuple[str, ...]) -> Place:
    """Where `Part.within` says that a part is typed. Raises Misplaced.

    >>> placed(("docker", "exec", "-it", "web", "sh")).shell
    ('docker', 'exec', 'web', 'sh', '-c')
    """
    if not within:
        return Place()
    shown = " ".join(within)
    if not all(_PLAIN_WORD.fullmatch(word) for word in within):
        raise Misplaced(f"it is typed within {shown}, which is not filled in: copy it")
    if within[0] == "ssh":
        target = [word for word in within[1:] if word not in _SSH_FLAGS]
        if len(target) != 1 or target[0].startswith("-"):
            raise Misplaced(f"{shown}: put these options into ~/.ssh/config and add a [[hosts]]")
        return Place(ssh=target[0])
    if within[0] in ("docker", "kubectl") and "exec" in within[1:2]:
        return Place(shell=_exec(within, shown))
    if within[0] in _REPLS:
        raise Misplaced(f"it is typed within {shown}, not into a shell: copy it")
    raise Misplaced(f"it is typed within {shown}, which is not known here: copy it")


def _exec(within: tuple[str, ...], shown: str) -> tuple[str, ...]:
    """`docker exec -it web bash`, without a terminal, and with a place for the text."""
    words = [word for word in within[2:] if word not in _TERMINALS]
    index = 0
    while index < len(words) and words[index].startswith("-") and words[index] != "--":
        if words[index] not in _EXEC_VALUES and "=" not in words[index]:
            raise Misplaced(f"{shown}: what {words[index]} does to it is not known: copy it")
        index += 1 if "=" in words[index] else 2
    if base_name(words[-1]) not in ("sh", "bash") or len(words) - index < 2:
        raise Misplaced(f"{shown}: no shell is opened there: copy it")
    return (*within[:2], *words, "-c")


class Manner(StrEnum):
    """How a command behaves."""

    ENDS = "ends by itself"
    ENDLESS = "goes on until it is stopped"
    TERMINAL = "takes the whole terminal"


_FULL_SCREEN: Final = word_set("""
    htop atop btop glances less more most man vi vim nvim nano emacs pico joe mc ncdu k9s tmux
    screen iotop iftop nethogs nmon lazydocker pgcli mycli watch pg_activity dialog whiptail
""")
_LOGS: Final = frozenset({"-f", "--follow", "-F"})
_COUNTED: Final = frozenset({"vmstat", "iostat", "mpstat", "pidstat", "sar", "dstat"})
_ENDLESS_LOOP: Final = re.compile(r"\bwhile\s+(?:true|:|\[ 1 \])\s*[;\n]|\buntil\s+false\b")


def manner(part: Part) -> Manner:
    """How `part` behaves, as far as its programs tell."""
    found = [_manner(argv) for program in part.programs for argv in layers(program.argv)]
    if Manner.TERMINAL in found:
        return Manner.TERMINAL
    endless = Manner.ENDLESS in found or _ENDLESS_LOOP.search(part.text)
    return Manner.ENDLESS if endless else Manner.ENDS


def wants_tty(part: Part) -> bool:
    """Whether a program refuses to run where its input is no terminal: `docker exec -it`, as it is
    typed by hand and copied into runbooks."""
    return any(_wants_tty(argv) for program in part.programs for argv in layers(program.argv))


def _wants_tty(argv: tuple[str, ...]) -> bool:
    if base_name(argv[0]) not in ("docker", "podman", "kubectl", "oc", "nerdctl"):
        return False
    verb = next((i for i, word in enumerate(argv[1:4], 1) if word in ("exec", "run")), 0)
    flags = argv[verb + 1 :] if verb else ()
    for word in flags:
        if word in _TERMINALS - {"-i", "--interactive", "--stdin"}:
            return True
        if not word.startswith("-"):
            return False
    return False


def asks_password(part: Part) -> bool:
    """Whether `sudo` may ask: without a terminal it refuses at once instead."""
    return any(
        base_name(argv[0]) in ("sudo", "su", "doas") and "-n" not in argv
        for program in part.programs
        for argv in layers(program.argv)
    )


def _manner(argv: tuple[str, ...]) -> Manner:
    name, flags = base_name(argv[0]), set(argv[1:])
    if name in _FULL_SCREEN or (name == "top" and not _has(argv, "b")):
        return Manner.TERMINAL
    if name == "pm2" and argv[1:2] in (("monit",), ("dash",)):
        return Manner.TERMINAL
    return Manner.ENDLESS if _is_endless(name, argv, flags) else Manner.ENDS


def _is_endless(name: str, argv: tuple[str, ...], flags: set[str]) -> bool:
    verbs = operands(argv[1:])
    match name:
        case "tail":
            return _has(argv, "f") or _has(argv, "F") or any(f.startswith("--f") for f in flags)
        case "journalctl" | "dmesg":
            return _has(argv, "f") or "--follow" in flags or _has(argv, "w")
        case "docker" | "docker-compose" | "podman" | "kubectl" | "oc" | "doctl":
            follows = bool(flags & _LOGS) and "logs" in verbs
            watches = name in ("kubectl", "oc") and bool(flags & {"-w", "--watch"})
            stats = "stats" in verbs[:1] and "--no-stream" not in flags
            return follows or watches or stats or verbs[:1] == ["events"]
        case "pm2":
            return verbs[:1] in (["logs"], ["log"]) and "--nostream" not in flags
        case "ping" | "ping6" | "tcpdump":
            return not _has(argv, "c")
        case "redis-cli" | "valkey-cli":
            return bool({"monitor", "subscribe", "psubscribe"} & {v.lower() for v in verbs}) or (
                bool(flags & {"--stat", "--latency", "--latency-history"})
            )
        case "strace" | "inotifywait" | "yes":
            return "-m" in flags or name != "inotifywait"
        case _ if name in _COUNTED:
            numbers = [word for word in verbs if word.isdigit()]
            return len(numbers) == 1
        case _:
            return False


def _has(argv: tuple[str, ...], letter: str) -> bool:
    """Whether a short option is given, alone or among others: `-f`, `-50f`."""
    return any(re.fullmatch(rf"-[A-Za-z0-9]*{letter}[A-Za-z0-9]*", word) for word in argv[1:])
