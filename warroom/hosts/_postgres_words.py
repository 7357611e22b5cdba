"""What went wrong with a PostgreSQL server, as one plain line that says what to do next.

SQLSTATEs are of the manual's appendix A (https://www.postgresql.org/docs/current/errcodes-appendix.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from warroom.domain.text import harmless, shorten
from warroom.hosts._network_words import network_words
from warroom.hosts._postgres_dsn import Dsn

_LONGEST: Final = 240


class PostgresFault(Exception):
    """The server could not be asked, or said no; the message is one plain line.

    `down`: the server itself is out (or lets nobody in); else only we are kept from looking.
    `sqlstate` is the server's own code, empty when it never answered.
    """

    def __init__(self, message: str, *, down: bool = False, sqlstate: str = "") -> None:
        super().__init__(shorten(harmless(message), _LONGEST))
        self.down, self.sqlstate = down, sqlstate


class PostgresLost(PostgresFault):
    """The connection broke while a statement was under way: it may or may not have run."""


def explain(error: BaseException, dsn: Dsn, *, connected: bool) -> PostgresFault:
    """`error`, which a client library raised, in words. `connected`: a session was open before."""
    import asyncpg

    if isinstance(error, PostgresFault):
        return error
    cut = (asyncpg.ConnectionDoesNotExistError, asyncpg.ConnectionFailureError)
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, cut):
        return _said(error, dsn)
    message, down = _unsaid(error, dsn, connected=connected)
    kind = PostgresLost if connected else PostgresFault
    return kind(f"{dsn.place}: {message}", down=down)


def _said(error: BaseException, dsn: Dsn) -> PostgresFault:
    """What the server itself answered."""
    state = str(getattr(error, "sqlstate", "") or "")
    own = str(getattr(error, "message", "") or error).replace("\n", " ")
    words = _BY_STATE.get(state)
    message = words(dsn, own) if words else own
    down = state in _DOWN
    kind = PostgresLost if state in _CUT else PostgresFault
    return kind(message, down=down, sqlstate=state)


def _unsaid(error: BaseException, dsn: Dsn, *, connected: bool) -> tuple[str, bool]:
    """What happened on the way, without an answer in PostgreSQL's own protocol."""
    known = network_words(error, dsn.host)
    if known:
        return known
    text = str(error)
    match error:
        case TimeoutError():
            what = "no answer in time" if connected else "no PostgreSQL answers there in time"
            return what, True
        case ConnectionError() if "SSL exchange" in text:
            return "it sends an error instead of TLS: see its log", True
        case ConnectionError():
            return "the connection broke" if connected else "the connection was cut at once", True
    return _of_client(error, connected=connected)


def _of_client(error: BaseException, *, connected: bool) -> tuple[str, bool]:
    """asyncpg's own complaints: ProtocolError, InterfaceError, a configuration it refuses."""
    name, text = type(error).__name__, " ".join(str(error).split())
    if name in ("ProtocolError", "InternalClientError", "UnicodeDecodeError", "BufferError"):
        return "no PostgreSQL server: it answers in another protocol", True
    if name in ("ConnectionDoesNotExistError", "ConnectionFailureError"):
        return "the connection broke" if connected else "the connection was cut at once", True
    return f"{text or name}", False


def _password(dsn: Dsn, own: str) -> str:
    if dsn.password:
        return f"{dsn.place}: wrong password for user {dsn.user or 'of this login'}"
    return f"{dsn.place}: a password is wanted and none was given: {own}"


def _hba(dsn: Dsn, own: str) -> str:
    if "no encryption" in own or "SSL off" in own:
        wanted = "add sslmode=require" if dsn.sslmode in ("disable", "allow", "prefer") else own
        return f"{dsn.place}: the server wants TLS: {wanted}"
    if "no pg_hba.conf entry" in own:
        return f"{dsn.place}: the server lets this user, database and address not in (pg_hba.conf)"
    return f"{dsn.place}: {own}"


def _slots(dsn: Dsn, own: str) -> str:
    return f"{dsn.place}: no connection slot left: {own}"


def _starting(dsn: Dsn, own: str) -> str:
    return f"{dsn.place}: not ready: {own}"


def _plain(dsn: Dsn, own: str) -> str:
    return f"{dsn.place}: {own}"


def _too_long(dsn: Dsn, own: str) -> str:
    return f"{dsn.place}: our query was ended: {own}"


_BY_STATE: Final[Mapping[str, Callable[[Dsn, str], str]]] = {
    "28P01": _password,
    "28000": _hba,
    "3D000": _plain,
    "42501": _plain,
    "53300": _slots,
    "57P01": _plain,
    "57P02": _plain,
    "57P03": _starting,
    "57014": _too_long,
}
_DOWN: Final = frozenset({"53300", "57P01", "57P02", "57P03", "58000", "58030", "53100", "53200"})
_CUT: Final = frozenset({"57P01", "57P02"})
