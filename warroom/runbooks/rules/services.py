"""Servers and deployments: reloads, blocks, rollbacks, requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from warroom.runbooks.model import LintFinding, LintLevel, Part, Step
from warroom.runbooks.rules import catalogue as rule
from warroom.runbooks.unwrap import base_name, unwrapped

_BLOCK: Final = re.compile(r"\b(?:block|ban|deny|sperr|bloqu)\w*", re.IGNORECASE)
_EDITS: Final = frozenset(
    {"nano", "vi", "vim", "emacs", "tee", "sed", "iptables", "nft", "ufw", "ip", "fail2ban-client"}
)
_TESTS: Final = {
    "nginx": "nginx -t",
    "apache2": "apachectl configtest",
    "httpd": "apachectl configtest",
    "haproxy": "haproxy -c -f FILE",
}
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash"})


class _Run(NamedTuple):
    """A program that runs: on which line, under which comment, with its plain name first."""

    line: int
    comment: str
    argv: tuple[str, ...]


def of_step(step: Step) -> Iterator[LintFinding]:
    runs = [
        _Run(part.line + program.line, part.comment, (base_name(argv[0]), *argv[1:]))
        for part in step.parts
        for program in part.programs
        if (argv := unwrapped(program.argv))
    ]
    tested = False
    for index, (line, _, argv) in enumerate(runs):
        tested = tested or argv[:2] == ("nginx", "-t") or "configtest" in argv or "-c" in argv[:2]
        server = _reloaded(argv)
        if server and not tested:
            why = (
                f"reloads {server} untested: a mistake in the file leaves the old rules on, or "
                "takes it down at the next restart"
            )
            yield rule.RELOAD_WITHOUT_TEST.at(line, why, f"first {_TESTS[server]} &&")
        if server:
            yield from _block(step, runs[index], [run.argv for run in runs[:index]])
    yield from _revert(runs)
    for run in runs:
        yield from _request(run.line, run.argv)
    for part in step.parts:
        yield from _piped(part)


def _reloaded(argv: Sequence[str]) -> str:
    if argv[0] == "nginx" and "reload" in argv:
        return "nginx"
    if argv[0] in ("systemctl", "service") and "reload" in argv:
        return next((server for server in _TESTS if _names(argv, server)), "")
    return ""


def _names(argv: Sequence[str], server: str) -> bool:
    return server in argv or f"{server}.service" in argv


def _block(step: Step, run: _Run, before: Sequence[Sequence[str]]) -> Iterator[LintFinding]:
    """ "Block the IP" has to write a deny somewhere before it reloads."""
    told = _BLOCK.search(run.comment)
    wrote = any(argv[0] in _EDITS for argv in before) or re.search(r"\bdeny\b", step.command)
    if told and not wrote:
        why = "says that it blocks, but only reloads: nothing is denied"
        yield rule.BLOCK_WITHOUT_DENY.at(run.line, why)


def _revert(runs: Sequence[_Run]) -> Iterator[LintFinding]:
    for run in runs:
        if run.argv[:3] == ("git", "revert", "HEAD"):
            pushed = any(other.argv[:2] == ("git", "push") for other in runs)
            why = "reverts whatever came last, not what broke it"
            why += ", and pushes it" if pushed else ""
            level = LintLevel.ERROR if pushed else LintLevel.WARN
            yield rule.REVERT_OF_HEAD.at(run.line, f"{why}; it opens an editor too", level=level)


def _request(line: int, argv: Sequence[str]) -> Iterator[LintFinding]:
    if argv[0] != "curl" or not any("://" in word or word[:1] in "$<" for word in argv[1:]):
        return
    fails = any(re.fullmatch(r"--fail(?:-with-body)?|-[a-zA-Z]*f[a-zA-Z]*", w) for w in argv[1:])
    status = any("%{http_code}" in word for word in argv)
    limited = any(w in ("-m", "--max-time") or w.startswith("--max-time=") for w in argv)
    lacks = [
        text for missing, text in (
            (not fails and not status, "an error page counts as success (-f)"),
            (not limited, "a server that hangs holds it for ever (--max-time 5)"),
        ) if missing
    ]  # fmt: skip
    if lacks:
        yield rule.CURL_TRUSTS.at(line, " and ".join(lacks))


def _piped(part: Part) -> Iterator[LintFinding]:
    before = ""
    for program in part.programs:
        argv = unwrapped(program.argv)
        name = base_name(argv[0]) if argv else ""
        if program.after == "|" and name in _SHELLS and before in ("curl", "wget"):
            why = "runs as it comes what another machine sends, whoever wrote it by then"
            yield rule.PIPES_TO_SHELL.at(part.line + program.line, why)
        before = name
