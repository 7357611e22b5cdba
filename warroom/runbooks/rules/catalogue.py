"""Every rule of the linter, each a record: its name, how much it matters, what it looks for, and
the better form when a finding has none of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from warroom.runbooks.model import LintFinding, LintLevel

INFO, WARN, ERROR = LintLevel.INFO, LintLevel.WARN, LintLevel.ERROR


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for. `info` is a remark: it fails no check."""

    name: str
    level: LintLevel
    looks_for: str
    better: str = ""

    def at(
        self, line: int, why: str, better: str = "", level: LintLevel | None = None
    ) -> LintFinding:
        """A finding of this rule; `better` and `level` are the rule's own unless they are given."""
        return LintFinding(line, self.name, level or self.level, why, better or self.better)


SECRET_ON_COMMAND_LINE: Final = Rule(
    "secret-on-command-line", ERROR, "a password that ps and the shell's history show",
    "read it from a file of mode 0600",
)  # fmt: skip
SECRET_EXPANDED: Final = Rule(
    "secret-expands", INFO, "a variable with a secret, which ps shows once the shell expanded it",
)  # fmt: skip
SECRET_ECHOED: Final = Rule(
    "secret-echoed", ERROR, "a secret printed on what may be a shared screen",
    'test that it is set instead: [ -n "$NAME" ] && echo set',
)  # fmt: skip
SECRET_IN_FILE: Final = Rule(
    "secret-in-file", ERROR, "a key or token that stands in the runbook itself",
    "revoke it, and name where it is kept",
)  # fmt: skip
RELOAD_WITHOUT_TEST: Final = Rule(
    "reload-without-test", WARN, "a server reloaded before its configuration was tested",
)  # fmt: skip
BLOCK_WITHOUT_DENY: Final = Rule(
    "block-without-deny", ERROR, "a step that says it blocks, and only reloads",
    "write 'deny ADDRESS;' to a file that nginx includes, test with nginx -t, then reload",
)  # fmt: skip
DESTROYS_BACKUPS: Final = Rule(
    "destroys-backups", ERROR, "backups deleted by a pattern",
    "delete by age instead: find DIR -name '*.sql' -mtime +14 -print, look, then -delete",
)  # fmt: skip
DESTROYS_WITHOUT_SCOPE: Final = Rule(
    "destroys-without-scope", ERROR, "something destroyed that nothing limits",
)  # fmt: skip
DESTROYS_WITHOUT_BACKUP: Final = Rule(
    "destroys-without-backup", WARN, "data overwritten or dropped with no copy made before",
)  # fmt: skip
DESTROYS_EVIDENCE: Final = Rule(
    "destroys-evidence", ERROR, "logs and containers that the post-mortem needs taken away",
    "copy it elsewhere first, or make room with logrotate --force",
)  # fmt: skip
TERMINATE_UNGUARDED: Final = Rule(
    "terminate-unguarded", ERROR, "pg_terminate_backend over pg_stat_activity without guards",
)  # fmt: skip
NO_SUCH_COMMAND: Final = Rule(
    "no-such-command", ERROR, "a sub-command that the tool's current version does not have",
    "see --help of the version that the team has",
)  # fmt: skip
NO_SUCH_OPTION: Final = Rule(
    "no-such-option", ERROR, "an option that the tool's current version does not have",
    "see --help of the version that the team has",
)  # fmt: skip
RETIRED: Final = Rule(
    "retired-command", WARN, "a program that its maker has retired",
)  # fmt: skip
CURL_TRUSTS: Final = Rule(
    "curl-trusts", INFO, "curl without -f or without a time limit",
    "curl -fsS --max-time 5 URL",
)  # fmt: skip
PIPES_TO_SHELL: Final = Rule(
    "runs-what-it-downloads", WARN, "a download piped into a shell",
    "save it, look at it, check its sum, then run it",
)  # fmt: skip
REVERT_OF_HEAD: Final = Rule(
    "revert-of-head", WARN, "git revert HEAD",
    "name the commit: git revert --no-edit COMMIT",
)  # fmt: skip
FENCE_NOT_CLOSED: Final = Rule(
    "fence-not-closed", ERROR, "a fence that swallows the prose below it",
    "close it with a line of as many marks as it opens with",
)  # fmt: skip
BROKEN_LINK: Final = Rule(
    "broken-link", WARN, "a link to a heading or a reference that the file does not have",
)  # fmt: skip
NO_VERIFICATION: Final = Rule(
    "playbook-without-verification", WARN, "a playbook that acts and never looks again",
    "end it with what shows that it worked: the health endpoint, the count that was too high",
)  # fmt: skip
SEVERITY_WITHOUT_RESPONSE: Final = Rule(
    "severity-without-response", WARN, "a severity that promises no response time",
    "say how soon somebody answers",
)  # fmt: skip
NO_SEVERITIES: Final = Rule(
    "no-severities", INFO, "a runbook without severities",
    "a table of levels with response times drives the clocks",
)  # fmt: skip
CONTACT_NOT_FILLED_IN: Final = Rule(
    "contact-not-filled-in", WARN, "a contact whose phone or address is still a placeholder",
)  # fmt: skip
ADDRESS_NOT_FILLED_IN: Final = Rule(
    "address-not-filled-in", WARN, "a URL whose host is still a placeholder",
    "write the address that the responder has to open",
)  # fmt: skip
STALE: Final = Rule(
    "out-of-date", WARN, "a runbook that nobody has reviewed for longer than it promises",
    "walk through it once, mend it, and write today's date",
)  # fmt: skip
CONTROL_CHARACTERS: Final = Rule(
    "control-characters", ERROR, "a command with invisible control characters",
    "type the command anew",
)  # fmt: skip

RULES: Final = {found.name: found for found in tuple(globals().values()) if isinstance(found, Rule)}
"""Every rule by its name."""
