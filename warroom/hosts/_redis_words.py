"""What went wrong with a Redis, as one plain line that says what to do next.

The words in capitals are the server's own error codes
(https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
"""

from __future__ import annotations

import re
from typing import Final

from warroom.domain.text import harmless, shorten
from warroom.hosts._network_words import network_words
from warroom.hosts._redis_url import RedisUrl

_LONGEST: Final = 240
_CLASS_CODES: Final = {
    "BusyLoadingError": "LOADING",
    "NoPermissionError": "NOPERM",
    "ReadOnlyError": "READONLY",
    "OutOfMemoryError": "OOM",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "AuthorizationError": "NOAUTH",
}
_DOWN: Final = frozenset({"LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "MAXCLIENTS"})
_CODE: Final = re.compile(r"([A-Z]{3,}) (.*)", re.DOTALL)


class RedisFault(Exception):
    """The server could not be asked, or said no; the message is one plain line.

    `code` is the server's own word (LOADING, NOPERM...), empty when it never answered; `down`
    says that the server itself is out.
    """

    def __init__(self, message: str, *, down: bool = False, code: str = "") -> None:
        super().__init__(shorten(harmless(message), _LONGEST))
        self.down, self.code = down, code


class RedisLost(RedisFault):
    """The connection broke while a command was under way: it may or may not have run."""


def refused(error: BaseException, url: RedisUrl, command: str) -> RedisFault:
    """What the server itself answered to `command` (its name) instead of a result."""
    code, text = code_of(error)
    message = {
        "LOADING": "LOADING: it is reading its data from disk and answers when that is done",
        "BUSY": "BUSY: a script blocks it; SCRIPT KILL ends one that has not written yet",
        "READONLY": "READONLY: it is a replica and takes no writes",
        "OOM": "OOM: memory is full and nothing may be evicted, so writes are refused",
        "MISCONF": "MISCONF: it cannot save to disk, so writes are refused",
        "NOPERM": f"user {url.user or 'default'} may not run {command}: "
        f"ACL SETUSER {url.user or 'default'} {_grant(command)}",
        "MASTERDOWN": "MASTERDOWN: its link to the primary is down",
        "CLUSTERDOWN": "CLUSTERDOWN: the cluster has slots that nobody serves",
        "MAXCLIENTS": "no client slot left (maxclients)",
        "NOAUTH": "it wants a password and the URL has none",
        "WRONGPASS": f"wrong password for user {url.user or 'default'}, or the user is disabled",
        "NEEDLESS": "it wants no password, but the URL has one: is it the right server?",
        "DENIED": "it is in protected mode: it answers only its own machine without a password",
        "NODB": f"it has no db {url.db}",
        "UNKNOWN": f"it does not know {command}: renamed, or too old",
    }.get(code, f"{code} {text}".strip())
    return RedisFault(f"{url.place}: {message}", down=code in _DOWN, code=code)


def code_of(error: BaseException) -> tuple[str, str]:
    """The server's code and words. redis-py takes the code away where it has a class for it."""
    text = " ".join(str(error).split())
    by_class = _CLASS_CODES.get(type(error).__name__)
    if by_class:
        return by_class, text
    lower = text.lower()
    for words, code in _BY_WORDS:
        if words in lower:
            return code, text
    match = _CODE.match(text)
    return (match[1], match[2]) if match else ("ERR", text)


_BY_WORDS: Final = (
    ("without any password configured", "NEEDLESS"),
    ("no password is set", "NEEDLESS"),
    ("invalid username-password", "WRONGPASS"),
    ("invalid password", "WRONGPASS"),
    ("authentication required", "NOAUTH"),
    ("max number of clients", "MAXCLIENTS"),
    ("protected mode", "DENIED"),
    ("db index is out of range", "NODB"),
    ("invalid db index", "NODB"),
    ("unknown command", "UNKNOWN"),
    ("unknown subcommand", "UNKNOWN"),
)


def lost(error: BaseException, url: RedisUrl, *, connected: bool) -> RedisFault:
    """What happened on the way, without an answer in Redis' own protocol."""
    kind = RedisLost if connected else RedisFault
    cause: BaseException | None = error
    while cause is not None:
        known = network_words(cause, url.host)
        if known:
            return kind(f"{url.place}: {known[0]}", down=known[1])
        cause = cause.__cause__ or cause.__context__
    name = type(error).__name__
    if name in ("InvalidResponse", "ValueError", "UnicodeDecodeError"):
        return kind(f"{url.place}: no Redis: it answers in another protocol", down=True)
    if name == "TimeoutError":
        words = "no answer in time" if connected else "no Redis answers there in time"
    else:
        words = "the connection broke" if connected else "the connection was cut at once"
    return kind(f"{url.place}: {words}", down=True)


def _grant(command: str) -> str:
    """As ACL SETUSER wants it: `SLOWLOG GET` is `+slowlog|get`."""
    return "+" + command.lower().replace(" ", "|")
