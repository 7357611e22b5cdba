"""Sub-commands and flags that the tool does not have. Small tables, each with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from warroom.runbooks.model import LintFinding, LintLevel, Part, Step
from warroom.runbooks.unwrap import unwrapped

DOCTL_SOURCE: Final = "docs.digitalocean.com/reference/doctl, v1.146"
_DOCTL_APPS: Final = frozenset(
    {
        "cancel-job-invocation", "console", "create", "create-deployment", "delete", "dev", "get",
        "get-deployment", "get-instances", "get-job-invocation", "instances", "list",
        "list-alerts", "list-buildpacks", "list-deployments", "list-instances",
        "list-job-invocations", "list-regions", "logs", "propose", "restart", "spec", "tier",
        "update", "update-alert-destinations", "upgrade-buildpack",
    }
)  # fmt: skip
_DOCTL_LOGS: Final = frozenset(
    {"--deployment", "--follow", "-f", "--help", "-h", "--job-invocation", "--no-prefix", "--tail",
     "--type", "--access-token", "-t", "--api-url", "-u", "--config", "-c", "--context",
     "--output", "-o", "--trace", "--verbose", "-v", "--interactive", "--http-retry-max"}
)  # fmt: skip
_DOCTL_INSTEAD: Final = {
    "--component": "the component is the argument after the app: doctl apps logs APP COMPONENT",
    "--since": "there is no time range: use --tail, or --deployment ID",
}


def of_step(step: Step) -> Iterator[LintFinding]:
    for part in step.parts:
        for program in part.programs:
            argv = unwrapped(program.argv)
            if argv[:1] == ("doctl",):
                for message in _doctl(argv):
                    yield _finding(part, f"{message} ({DOCTL_SOURCE})")


def _finding(part: Part, message: str) -> LintFinding:
    return LintFinding(part.line, "no-such-option", LintLevel.ERROR, message)


def _doctl(argv: tuple[str, ...]) -> Iterator[str]:
    room, words = argv[1:2], argv[2:]
    if room in [("apps",), ("app",)] and words:
        if words[0].isascii() and words[0][0].isalpha() and words[0] not in _DOCTL_APPS:
            yield f"doctl apps has no {words[0]}"
        if words[0] == "logs":
            for word in words[1:]:
                flag = word.partition("=")[0]
                if flag.startswith("-") and flag not in _DOCTL_LOGS:
                    yield f"doctl apps logs has no {flag}; {_DOCTL_INSTEAD.get(flag, 'see --help')}"
        if "--format" in words and "json" in words:
            yield "--format names columns; JSON is --output json"
    if room in [("databases",), ("database",), ("db",)] and words[:1] == ("backups",):
        if words[1:2] == ("restore",):
            yield (
                "doctl databases backups only lists; restore into a new cluster: "
                "doctl databases fork NAME --restore-from-cluster-id ID"
            )
        elif words[1:2] == ("list",):
            yield "doctl databases backups takes the cluster itself: doctl databases backups ID"
    if argv[1:3] == ("compute", "support"):
        yield "doctl cannot open tickets; use the support page of the control panel"
