"""Servers and deployments: reloads, blocks, rollbacks, requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from warroom.runbooks.model import LintFinding, LintLevel, Part, Step
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


def of_step(step: Step) -> Iterator[LintFinding]:
    runs = [(part, unwrapped(p.argv)) for part in step.parts for p in part.programs if p.argv]
    runs = [(part, (base_name(argv[0]), *argv[1:])) for part, argv in runs if argv]
    tested = False
    for index, (part, argv) in enumerate(runs):
        tested = tested or argv[:2] == ("nginx", "-t") or "configtest" in argv or "-c" in argv[:2]
        server = _reloaded(argv)
        if server and not tested:
            message = (
                f"reloads {server} untested: a mistake in the file leaves the old rules on, or "
                f"takes it down at the next restart; first {_TESTS[server]} &&"
            )
            yield LintFinding(part.line, "reload-without-test", LintLevel.WARN, message)
        if server:
            yield from _block(step, part, [argv for _, argv in runs[:index]])
    yield from _revert(runs)
    for part, argv in runs:
        yield from _request(part, argv)


def _reloaded(argv: Sequence[str]) -> str:
    if argv[0] == "nginx" and "reload" in argv:
        return "nginx"
    if argv[0] in ("systemctl", "service") and "reload" in argv:
        return next((server for server in _TESTS if server in argv), "")
    return ""


def _block(step: Step, part: Part, before: Sequence[Sequence[str]]) -> Iterator[LintFinding]:
    """ "Block the IP" has to write a deny somewhere before it reloads."""
    told = _BLOCK.search(part.comment)
    wrote = any(argv[0] in _EDITS for argv in before) or re.search(r"\bdeny\b", step.command)
    if told and not wrote:
        yield LintFinding(
            part.line,
            "block-without-deny",
            LintLevel.ERROR,
            "says that it blocks, but only reloads: nothing is denied; write 'deny ADDRESS;' to a "
            "file that nginx includes, test with nginx -t, then reload",
        )


def _revert(runs: Sequence[tuple[Part, Sequence[str]]]) -> Iterator[LintFinding]:
    for part, argv in runs:
        if tuple(argv[:3]) == ("git", "revert", "HEAD"):
            pushed = any(other[:2] == ("git", "push") for _, other in runs)
            yield LintFinding(
                part.line,
                "revert-of-head",
                LintLevel.ERROR if pushed else LintLevel.WARN,
                "reverts whatever came last, not what broke it"
                + (", and pushes it" if pushed else "")
                + "; it opens an editor too; name the commit: git revert --no-edit COMMIT",
            )


def _request(part: Part, argv: Sequence[str]) -> Iterator[LintFinding]:
    if argv[0] != "curl":
        return
    fails = any(re.fullmatch(r"--fail(?:-with-body)?|-[a-zA-Z]*f[a-zA-Z]*", w) for w in argv[1:])
    limited = any(w in ("-m", "--max-time") or w.startswith("--max-time=") for w in argv)
    if fails and limited:
        return
    lacks = " and ".join(
        text for missing, text in (
            (not fails, "an error page counts as success (-f)"),
            (not limited, "a server that hangs holds it for ever (--max-time 5)"),
        ) if missing
    )  # fmt: skip
    yield LintFinding(part.line, "curl-trusts", LintLevel.INFO, lacks)
