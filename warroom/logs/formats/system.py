"""What systems write: syslog, the journal, container runtimes, sshd and its relatives.

Sources: RFC 3164, section 4; RFC 5424, section 6; rsyslog's RSYSLOG_FileFormat; systemd, Journal
JSON Format and journal-fields(7); Kubernetes, CRI logging format; OpenSSH's auth.c, auth2.c and
packet.c; Linux-PAM, pam_unix(8); klog.

The host of a syslog line wrote it or passed it on: it is never a client. A user's name is sent by
the client and may hold any words, ` from 198.51.100.1 port 22` among them: sshd writes the peer
after it, so only what ends a sentence counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from warroom.logs.formats.base import ADDRESS, Format, Pattern, Roles, compiled
from warroom.logs.formats.structured import JsonObject

_PRI: Final = rb"(?:<(?P<priority>\d{1,3})>)?"
_STAMP: Final = (
    rb"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
)
_TAG: Final = rb"(?P<program>[^\s\[\]:]{1,64}+)(?:\[(?P<pid>[^\]\s]{1,20}+)\])?: "
_HEAD: Final = _PRI + _STAMP + rb"(?:(?P<host>[^\s:\[\]]++|" + ADDRESS + rb") )?" + _TAG
SYSLOG: Final = Pattern(
    name="syslog",
    title="syslog (RFC 3164)",
    wraps=True,
    marks=(b": ",),
    pattern=_HEAD + rb"(?P<message>.*+)\Z",
)
SYSLOG_5424: Final = Pattern(
    name="syslog-5424",
    title="syslog (RFC 5424)",
    wraps=True,
    rank=2,
    marks=(b"<", b">1 "),
    pattern=rb"<(?P<priority>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\S++|-) (?P<host>\S{1,255}+) "
    rb"(?P<program>\S{1,48}+) (?P<pid>\S{1,128}+) (?P<msgid>\S{1,32}+) "
    rb'(?P<data>-|(?:\[[^\s\]"]++(?: [^\s=\]"]++="[^"\\]*+(?:\\.[^"\\]*+)*+")*+\])++)'
    rb"(?: (?:\xef\xbb\xbf)?(?P<message>.*+))?+\Z",
)
CRI: Final = Pattern(
    name="cri",
    title="Kubernetes' container log",
    wraps=True,
    rank=3,
    marks=(b" std",),
    pattern=rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d++(?:Z|[+-]\d\d:\d\d)) "
    rb"(?P<stream>stdout|stderr) (?P<tag>[FP](?::\S*+)?) (?P<message>.*+)\Z",
)
KLOG: Final = Pattern(
    name="klog",
    title="Kubernetes' components (klog)",
    rank=2,
    marks=(b"] ",),
    pattern=rb"(?P<level>[IWEF])(?P<time>\d{4} \d\d:\d\d:\d\d\.\d{6}) +(?P<thread>\d++) "
    rb"(?P<source>[^\s\]:]++:\d++)\] (?P<message>.*+)\Z",
)
JOURNAL: Final = JsonObject(
    name="journald",
    title="systemd's journal, JSON",
    wraps=True,
    rank=5,
    marks=(b'"__REALTIME_TIMESTAMP"',),
    needs=("time",),
    keys={
        "time": ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"),
        "host": ("_HOSTNAME",),
        "program": ("SYSLOG_IDENTIFIER", "_COMM"),
        "pid": ("_PID",),
        "level": ("PRIORITY",),
        "message": ("MESSAGE",),
    },
)

_PEER: Final = rb"(?P<client>\S++)(?: port (?P<client_port>\d{1,5}))?+"
_ENDS: Final = rb"(?: ssh2?)?+(?:: [^ ]++ \S++)?+(?: \[preauth\])?+\Z"
_SAID: Final = tuple(
    sentence
    for sentence in (
        # a name stands before the peer: it is the last `from` that counts
        rb"(?P<verb>Failed|Accepted|Postponed|Partial) (?P<how>[\w/-]++) for "
        rb"(?:invalid user )?(?P<user>.*) from " + _PEER + _ENDS,
        rb"(?P<verb>Invalid user|Illegal user) (?P<user>.*) from " + _PEER + rb"\Z",
        rb"(?:error: )?(?P<verb>maximum authentication attempts exceeded) for "
        rb"(?:invalid user )?(?P<user>.*) from " + _PEER + _ENDS,
        rb"(?P<verb>Connection (?:closed|reset) by|Disconnected from|Disconnecting)"
        rb" (?:authenticating |invalid )?user (?P<user>.*) (?P<client>\S++) port "
        rb"(?P<client_port>\d{1,5})(?:: [^\[]*+)?(?: \[preauth\])?+\Z",
        rb"(?P<verb>User) (?P<user>.*) from " + _PEER + rb" not allowed because \N*+\Z",
        # nothing that the client chose stands before the peer
        rb"(?P<verb>Connection (?:from|closed by|reset by)|Disconnected from"
        rb"|Received disconnect from|Did not receive identification string from"
        rb"|Unable to negotiate with|(?:error: )?ssh_dispatch_run_fatal: Connection from"
        rb"|banner exchange: Connection from|Timeout before authentication for"
        rb"(?: connection from)?|refused connect from) "
        rb"(?!(?:authenticating |invalid )?user )" + _PEER + rb"(?:[: ]|\Z)",
        rb"(?:error: )?(?P<verb>kex_exchange_identification|Received disconnect): ",
        rb"pam_unix\([^)]*+\): (?P<verb>authentication failure); logname=\S*+ uid=\d++ euid=\d++ "
        rb"tty=\S*+ ruser=\S*+ rhost=(?P<client>\S*+)(?: +user=(?P<user>\S++))?+\s*+\Z",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Auth(Pattern):
    """sshd, and PAM in sshd's name, sudo, su, login: a syslog line, and its sentence's parts."""

    def roles(self, line: bytes) -> Roles | None:
        # not super(): a slotted dataclass is made anew, and the name no longer fits
        found = Pattern.roles(self, line)
        return None if found is None else {**found, **said(found["message"])}


def said(message: bytes) -> Roles:
    """User, client and port of a sentence that sshd writes; empty for another. Its level may stand
    before it in brackets, as this console writes the journal's."""
    level = compiled(rb"\[(?:emerg|alert|crit|err|warning)\] ").match(message)
    message = message[level.end() :] if level is not None else message
    for sentence in _SAID:
        found = compiled(sentence.replace(rb"\N", b".")).match(message)
        if found is not None:
            return {name: part for name, part in found.groupdict().items() if part is not None}
    return {}


@dataclass(frozen=True, slots=True)
class Sentence(Format):
    """What sshd says, without a heading: as the journal gives it, and syslog's newer form."""

    def roles(self, line: bytes) -> Roles | None:
        found = said(line)
        return {**found, "message": line} if found else None


SSHD: Final = Sentence(name="sshd", title="sshd")
_PROGRAMS: Final = rb"(?:sshd(?:-session|-auth)?|sudo|su|login|systemd-logind|dropbear|cron|CRON)"
AUTH: Final = Auth(
    name="auth",
    title="sshd and other logins",
    rank=3,
    marks=(b": ",),
    pattern=_HEAD.replace(rb"[^\s\[\]:]{1,64}+", _PROGRAMS) + rb"(?P<message>.*+)\Z",
)

PLAIN: Final = Pattern(
    name="plain",
    title="time, level and message",
    rank=0,
    marks=(b":",),
    pattern=rb"\[?(?P<time>\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    rb"(?:Z| ?[+-]\d\d:?\d\d)?)\]?(?P<message>[\s:|].*+)\Z",
)
"""What programs write whose log is set up by a library: Python's, Java's, Go's, Node's."""

FORMATS: Final[tuple[Format, ...]] = (PLAIN, SSHD, SYSLOG, SYSLOG_5424, CRI, KLOG, JOURNAL, AUTH)
