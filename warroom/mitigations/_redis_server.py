"""What the mitigations of Redis look at before and after: which server it is, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from warroom.domain.text import harmless, shorten
from warroom.hosts.redis import RedisFault, RedisSession
from warroom.hosts.redis_info import keyspace, number, pairs, parse_info
from warroom.mitigations.base import MitigationRefused

TIMEOUT_S: Final = 20.0
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")

Info = Mapping[str, str]


def good(answer: Any) -> Any:
    """An answer that is none of refusal. Raises RedisFault."""
    if isinstance(answer, RedisFault):
        raise answer
    return answer


async def info_of(session: RedisSession) -> Info:
    """INFO, over a connection that is opened where there is none. Raises RedisFault."""
    return parse_info(await session.one("INFO"))


def check_writable(info: Info, act: str) -> None:
    """Raises RedisFault where `act` would not do what it says: on a replica, which takes no
    writes, and on a node of a cluster, which has only a part of the keys."""
    if info.get("role", "master") != "master":
        place = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        raise RedisFault(f"it is a replica of {place}: {act} the primary")
    if info.get("redis_mode") == "cluster":
        raise RedisFault(
            f"a node of a cluster, which has only some of the keys: {act} node by node, as with "
            "redis-cli --cluster call"
        )


def check_same(info: Info, identity: Mapping[str, str]) -> None:
    """Raises MitigationRefused when it is not the run of the server that was shown."""
    if info.get("run_id", "") != identity["run_id"]:
        raise MitigationRefused("not done: the server was restarted since, or it is another")


def by_db(info: Info) -> list[tuple[int, int, int]]:
    """(database, keys, keys that expire), empty ones left out."""
    found = []
    for db, keys in keyspace(info).items():
        text = pairs(info.get(f"db{db}", "")).get("expires", "")
        found.append((db, keys, int(text) if text.isdigit() else 0))
    return found


def around(info: Info) -> list[tuple[str, str]]:
    """Who else would notice: clients and replicas."""
    others = max(0, int(number(info, "connected_clients") or 0) - 1)
    lines = [("clients", f"{others:,} others connected")]
    followers = int(number(info, "connected_slaves") or 0)
    if followers:
        lines.append(("replicas", f"{followers}: they follow"))
    return lines


def used(info: Info) -> float:
    """Bytes of memory in use."""
    return number(info, "used_memory") or 0.0


def amount(count: float) -> str:
    """Bytes in words.

    >>> amount(512), amount(1_288_490_189)
    ('512 B', '1.2 GiB')
    """
    value, unit = float(count), 0
    while abs(value) >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def short(text: str, width: int = 60) -> str:
    """Foreign text in few characters."""
    return shorten(harmless(text), width)
