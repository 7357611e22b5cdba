"""How bad a raw line says it is, by a few tests on its first bytes."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

LOOKED_AT: Final = 1024
"""Bytes of a line that are looked at: every known format names its level near the start."""


class LogLevel(IntEnum):
    """Levels of log lines, worst last; NONE when the line names none."""

    NONE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4
    FATAL = 5

    @property
    def word(self) -> str:
        return self.name.lower() if self else ""


_WORDS: Final[dict[bytes, LogLevel]] = {
    **dict.fromkeys((b"fatal", b"panic", b"emerg", b"emergency"), LogLevel.FATAL),
    **dict.fromkeys((b"crit", b"critical", b"alert", b"dpanic"), LogLevel.FATAL),
    **dict.fromkeys((b"error", b"err", b"severe", b"eror", b"fail"), LogLevel.ERROR),
    **dict.fromkeys((b"warn", b"warning", b"wrn"), LogLevel.WARN),
    **dict.fromkeys((b"info", b"notice", b"log", b"inf", b"information"), LogLevel.INFO),
    **dict.fromkeys((b"debug", b"trace", b"verbose", b"dbg", b"fine"), LogLevel.DEBUG),
}
ANSWER: Final = rb'HTTP/[0-9.]+" ([1-5])\d\d '
"""The end of a request line and its status, as formats of the common family write them."""
_ACCESS: Final = re.compile(ANSWER)
_REDIS: Final = re.compile(rb"\d+:[XCSM] \d\d \w{3} \d{4} [\d:.]+ ([.\-*#]) ")
_REDIS_MARKS: Final = {
    b".": LogLevel.DEBUG,
    b"-": LogLevel.INFO,
    b"*": LogLevel.INFO,
    b"#": LogLevel.WARN,
}
_KLOG: Final = re.compile(rb"([IWEF])\d{4} \d\d:\d\d:\d\d")
_KLOG_MARKS: Final = {
    b"I": LogLevel.INFO,
    b"W": LogLevel.WARN,
    b"E": LogLevel.ERROR,
    b"F": LogLevel.FATAL,
}
_JSON_NUMBER: Final = re.compile(rb'"level"\s*:\s*(\d+)')
_JSON_STATUS: Final = re.compile(rb'"(?:status|status_code|DownstreamStatus)"\s*:\s*"?([1-5])\d\d')
_SYSLOG: Final = re.compile(rb"<(\d{1,3})>")
_NAMED: Final = re.compile(
    rb'(?:"(?:level|severity|lvl|log\.level|loglevel)"\s*:\s*"|\b(?:level|lvl|severity)=["\']?)'
    rb"([A-Za-z]+)",
    re.IGNORECASE,
)
_BARE: Final = re.compile(
    rb"(?<![A-Za-z0-9_/])(?:"
    rb"(FATAL|PANIC|EMERG|CRIT(?:ICAL)?|ALERT|ERROR|ERR|SEVERE|WARN(?:ING)?|INFO|NOTICE|LOG"
    rb"|DEBUG|TRACE)(?![A-Za-z0-9_])"
    rb"|\[(emerg|alert|crit|error|err|warn|warning|notice|info|debug|fatal|trace)\]"
    rb"|\[\w+:(emerg|alert|crit|error|warn|notice|info|debug|trace\d?)\]"
    rb"|(fatal|panic|error|warning): )"
)
_THROWN: Final = re.compile(
    rb"(?:[A-Za-z_$][\w.$]{0,120}(?:Error|Exception)(?::|$)|Traceback \(most recent|Caused by: "
    rb"|Exception in thread |Uncaught )"
)


def level_of(line: bytes) -> LogLevel:
    """The level that `line` names: by field, by word, or by an access line's status (5xx is an
    error, 4xx a warning).

    >>> level_of(b'2026/11/21 14:35:02 [error] 7#7: *1 connect() failed')
    <LogLevel.ERROR: 4>
    >>> level_of(b'10.0.0.1 - - [..] "GET /ERROR HTTP/1.1" 200 5')
    <LogLevel.INFO: 2>
    """
    head = line[:LOOKED_AT]
    if (found := _ACCESS.search(head)) is not None:
        return _of_status(found[1])
    if head[:1] == b"{":
        return _of_json(head)
    if (found := _NAMED.search(head)) is not None:
        return _WORDS.get(found[1].lower(), LogLevel.NONE)
    first = head[:1]
    if first.isdigit() and (found := _REDIS.match(head)) is not None:
        return _REDIS_MARKS[found[1]]
    if first in _KLOG_MARKS and (found := _KLOG.match(head)) is not None:
        return _KLOG_MARKS[found[1]]
    if first == b"<" and (found := _SYSLOG.match(head)) is not None:
        return _of_priority(int(found[1]))
    if (found := _BARE.search(head)) is not None:
        word = found[1] or found[2] or found[3] or found[4]
        return _WORDS.get(word.lower().rstrip(b"0123456789"), LogLevel.NONE)
    return LogLevel.ERROR if _THROWN.match(head) else LogLevel.NONE


def _of_status(first_digit: bytes) -> LogLevel:
    return {b"5": LogLevel.ERROR, b"4": LogLevel.WARN}.get(first_digit, LogLevel.INFO)


def _of_json(head: bytes) -> LogLevel:
    """By the level's word; by pino's and bunyan's number (30 is info, 50 error); by status."""
    status = _JSON_STATUS.search(head)
    by_status = _of_status(status[1]) if status else LogLevel.NONE
    if (found := _NAMED.search(head)) is not None:
        return max(_WORDS.get(found[1].lower(), LogLevel.NONE), by_status)
    if (found := _JSON_NUMBER.search(head)) is not None:
        return LogLevel(min(5, max(1, int(found[1][:4]) // 10 - 1)))
    return by_status


def _of_priority(priority: int) -> LogLevel:
    """Of a syslog PRI (RFC 5424, section 6.2.1): its severity is the lowest three bits."""
    severity = priority & 7
    if severity <= 2:
        return LogLevel.FATAL
    return (LogLevel.ERROR, LogLevel.WARN, LogLevel.INFO, LogLevel.INFO, LogLevel.DEBUG)[
        severity - 3
    ]
