"""What the words in an HTTP answer mean, whoever wrote it. Pure."""

from __future__ import annotations

from typing import Final

from warroom.domain.sample import Health

_OK: Final = (
    "up ok okay pass passed passing healthy green operational success successful succeeded ready "
    "alive available running serving online normal good connected active pong none "
    "all_systems_operational"
)
_DEGRADED: Final = (
    "warn warning degraded yellow minor degraded_performance partial_outage partial "
    "under_maintenance maintenance"
)
_DOWN: Final = (
    "down fail failed failing failure error unhealthy critical red major major_outage outage "
    "out_of_service offline unavailable unreachable dead not_serving not_ready broken crashed ko "
    "disconnected shutting_down inactive"
)
_WORDS: Final = {
    **dict.fromkeys(_OK.split(), Health.OK),
    **dict.fromkeys(_DEGRADED.split(), Health.DEGRADED),
    **dict.fromkeys(_DOWN.split(), Health.DOWN),
    "unknown": Health.UNKNOWN,
}
UNMISTAKABLE: Final = frozenset(("down", "disconnected", "unhealthy", "unreachable", "unavailable"))
"""Words that say "down" even beside a key that names no state (`"database": "disconnected"`);
`error` and `failed` do not: `"log_level": "error"`."""

_SECRET_HEADERS: Final = ("cookie", "authorization", "token", "secret", "api-key", "password")


def is_secret(header: str) -> bool:
    """Whether a header of that name usually carries a secret.

    >>> is_secret("X-Api_Key"), is_secret("Content-Type")
    (True, False)
    """
    name = header.lower().replace("_", "-").replace("apikey", "api-key")
    return any(part in name for part in _SECRET_HEADERS)


def plain(word: str) -> str:
    """`word` as the tables spell it.

    >>> plain(" Out of-Service. ")
    'out_of_service'
    """
    return "_".join(word.strip().strip(".!").casefold().replace("-", " ").split())


def meaning(word: object) -> Health | None:
    """What a state means; None when it is not a word that we know.

    Numbers that are HTTP status codes count by their class.

    >>> meaning("UP"), meaning(False), meaning(503)
    (<Health.OK: 'ok'>, <Health.DOWN: 'down'>, <Health.DOWN: 'down'>)
    >>> meaning("running 3 jobs") is None
    True
    """
    if isinstance(word, bool):
        return Health.OK if word else Health.DOWN
    if isinstance(word, int):
        return _of_code(word)
    return _WORDS.get(plain(word)) if isinstance(word, str) and len(word) <= 64 else None


def _of_code(code: int) -> Health | None:
    if 200 <= code < 400:
        return Health.OK
    return Health.DOWN if 400 <= code < 600 else None
