"""The program that really runs: seen through `sudo`, `time`, `docker exec`, `ssh host`, `xargs`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_PLAIN: Final[dict[str, tuple[str, ...]]] = {
    "sudo": ("-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T"),
    "doas": ("-u", "-C"),
    "nohup": (),
    "time": (),
    "command": (),
    "exec": (),
    "nice": ("-n",),
    "ionice": ("-c", "-n", "-p"),
    "stdbuf": ("-i", "-o", "-e"),
    "setsid": (),
    "unbuffer": (),
    "xargs": ("-n", "-P", "-I", "-L", "-d", "-a", "-s", "-E"),
}
"""Wrappers, and their options that take a value."""
_EXEC_VALUES: Final = ("-u", "--user", "-w", "--workdir", "-e", "--env", "--env-file", "--index")
_SSH_VALUES: Final = tuple(
    f"-{letter}" for letter in "BbcDEeFIiJLlmOopQRSWw"
)  # ssh(1), the options with an argument
_DEEPEST: Final = 12


def base_name(word: str) -> str:
    """`/usr/sbin/nginx` → `nginx`."""
    return word.rpartition("/")[2] or word


@lru_cache(maxsize=4096)
def unwrapped(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The innermost argv. `docker exec -it db psql` → `psql`; a lone `ssh host` stays as it is."""
    inner = argv
    for _ in range(_DEEPEST):
        further = _once(inner)
        if not further or further == inner:
            return inner
        inner = further
    return inner


def layers(argv: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every program on the way in: `sudo docker exec db psql` → all three, outermost first."""
    found = [argv] if argv else []
    for _ in range(_DEEPEST):
        further = _once(found[-1]) if found else ()
        if not further or further == found[-1]:
            break
        found.append(further)
    return found


def _once(argv: tuple[str, ...]) -> tuple[str, ...]:
    if not argv:
        return ()
    name = base_name(argv[0])
    if name in _PLAIN:
        return _rest(argv[1:], _PLAIN[name], 0)
    if name == "env":
        rest = _rest(argv[1:], ("-u", "-C"), 0)
        while rest and "=" in rest[0]:
            rest = rest[1:]
        return rest
    if name == "timeout":
        return _rest(argv[1:], ("-k", "-s", "--signal", "--kill-after"), 1)
    if name == "ssh":
        return _rest(argv[1:], _SSH_VALUES, 1)
    return _inside_container(name, argv)


def _inside_container(name: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    if name in ("docker", "podman", "docker-compose", "nerdctl"):
        words = argv[1:]
        if name != "docker-compose" and words[:1] == ("compose",):
            words = _rest(words[1:], ("-f", "--file", "-p", "--project-name"), 0)
        elif name != "docker-compose" and words[:1] == ("container",):
            words = words[1:]
        if words[:1] == ("exec",):
            return _rest(words[1:], _EXEC_VALUES, 1)
    if name in ("kubectl", "oc") and "exec" in argv and "--" in argv:
        return argv[argv.index("--") + 1 :]
    return ()


def _rest(words: Sequence[str], with_value: Sequence[str], skip: int) -> tuple[str, ...]:
    """What is left after options and `skip` operands."""
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return tuple(words[index + 1 + skip :])
        if not word.startswith("-") or word == "-":
            return tuple(words[index + skip :])
        index += 2 if word in with_value else 1
    return ()


def operands(words: Sequence[str], *with_value: str, keep: bool = False) -> list[str]:
    """`words` without options and the values of those in `with_value`; with `keep`, long options
    without a value of their own stay (`redis-cli --bigkeys`)."""
    found: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word in with_value:
            index += 1
        elif not word.startswith("-") or (keep and word.startswith("--")):
            found.append(word)
        index += 1
    return found
