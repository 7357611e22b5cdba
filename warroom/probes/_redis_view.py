"""One look at a Redis as metrics, facts, troubles and rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from warroom.domain.clock import span
from warroom.domain.sample import Column, Health, Row
from warroom.domain.text import shorten
from warroom.hosts.redis_info import Info, SlowCall, keyspace, number, replicas
from warroom.probes._size import size

COLUMNS: Final = (
    Column("id", "id", "id", priority=3),
    Column("ago", "ago", "seconds"),
    Column("duration", "took", "seconds"),
    Column("client", "client", priority=2),
    Column("name", "name", priority=3),
    Column("command", "slow command", grow=True),
)
_CELL_WIDTH: Final = 500
_DBS_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Totals:
    """Counters at one moment (seconds of a monotonic clock) of one run of the server."""

    at: float
    run_id: str
    hits: float
    misses: float
    evicted: float
    expired: float
    rejected: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong by the server's own name for it, and how bad that is."""

    name: str
    words: str
    health: Health

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


def totals(info: Info, at: float) -> Totals:
    """The counters of INFO stats."""
    names = ("keyspace_hits", "keyspace_misses", "evicted_keys", "expired_keys")
    hits, misses, evicted, expired = (number(info, name) or 0.0 for name in names)
    rejected = number(info, "rejected_connections") or 0.0
    return Totals(at, info.get("run_id", ""), hits, misses, evicted, expired, rejected)


def metrics(info: Info, now: Totals, before: Totals | None, slow: int | None) -> dict[str, float]:
    """Plain numbers by name; one that cannot be known is left out.

    `hit_percent` is since the server started, `hit_percent_now` since the look before;
    `memory_percent` is of maxmemory, and missing where there is no limit.
    """
    used, limit = number(info, "used_memory"), number(info, "maxmemory")
    values: dict[str, float | None] = {
        "hit_percent": share(now.hits, now.misses),
        "memory_bytes": used,
        "memory_max_bytes": limit or None,
        "memory_percent": 100.0 * used / limit if used is not None and limit else None,
        "memory_fragmentation": number(info, "mem_fragmentation_ratio"),
        "clients": number(info, "connected_clients"),
        "clients_max": number(info, "maxclients"),
        "blocked_clients": number(info, "blocked_clients"),
        "ops_per_s": number(info, "instantaneous_ops_per_sec"),
        "keys": float(sum(keyspace(info).values())),
        "evicted": now.evicted,
        "expired": now.expired,
        "slowlog_len": None if slow is None else float(slow),
        "replicas": number(info, "connected_slaves"),
        "replication_lag_s": lag(info),
        **_since(before, now),
    }
    return {name: value for name, value in values.items() if value is not None}


def _since(before: Totals | None, now: Totals) -> dict[str, float | None]:
    """What went on since the look before; nothing across a restart or CONFIG RESETSTAT."""
    if before is None or before.run_id != now.run_id or now.at <= before.at:
        return {}
    if now.hits < before.hits or now.misses < before.misses:
        return {}
    seconds = now.at - before.at
    return {
        "hit_percent_now": share(now.hits - before.hits, now.misses - before.misses),
        "evictions_per_s": max(0.0, now.evicted - before.evicted) / seconds,
        "expired_per_s": max(0.0, now.expired - before.expired) / seconds,
        "rejected_new": max(0.0, now.rejected - before.rejected),
    }


def lag(info: Info) -> float | None:
    """Seconds: of a replica since it last heard of its primary, of a primary the worst replica's
    silence; None where nothing replicates."""
    if info.get("role") == "slave":
        down = number(info, "master_link_down_since_seconds")
        heard = number(info, "master_last_io_seconds_ago")
        seconds = down if info.get("master_link_status") == "down" else heard
        return max(0.0, seconds) if seconds is not None else None
    lags = [float(one["lag"]) for one in replicas(info) if one.get("lag", "").isdigit()]
    return max(lags, default=None)


def troubles(info: Info) -> list[Trouble]:
    """What INFO says is wrong, worst first, by the name that clients get to see."""
    found: list[Trouble] = []
    if info.get("loading") == "1":
        found.append(Trouble("LOADING", _loading(info), Health.DOWN))
    if info.get("rdb_last_bgsave_status") == "err":
        words = (
            "the last snapshot failed; writes are refused where stop-writes-on-bgsave-error is on"
        )
        found.append(Trouble("MISCONF", words, Health.DEGRADED))
    if info.get("aof_last_write_status") == "err":
        words = "the append-only file cannot be written, so writes are refused"
        found.append(Trouble("MISCONF", words, Health.DEGRADED))
    if info.get("aof_last_bgrewrite_status") == "err":
        words = "the last rewrite of the append-only file failed: the file keeps growing"
        found.append(Trouble("AOF", words, Health.DEGRADED))
    used, limit = number(info, "used_memory"), number(info, "maxmemory")
    if used and limit and used >= limit and info.get("maxmemory_policy") == "noeviction":
        words = "memory is full and the policy is noeviction, so writes are refused"
        found.append(Trouble("OOM", words, Health.DEGRADED))
    if info.get("role") == "slave" and info.get("master_link_status") == "down":
        since = number(info, "master_link_down_since_seconds")
        words = f"the link to the primary is down{_for(since)}"
        found.append(Trouble("MASTERDOWN", words, Health.DEGRADED))
    return sorted(found, key=lambda trouble: -trouble.health.rank)


def _loading(info: Info) -> str:
    share_, eta = number(info, "loading_loaded_perc"), number(info, "loading_eta_seconds")
    words = "it is reading its data from disk"
    if share_ is not None:
        words += f", {share_:.0f}% done"
    return words + (f", about {span(eta)} left" if eta is not None and eta >= 0 else "")


def _for(seconds: float | None) -> str:
    return f" for {span(seconds)}" if seconds is not None and seconds >= 0 else ""


def facts(
    info: Info, values: Mapping[str, float], wrong: Sequence[Trouble], denied: Sequence[str]
) -> dict[str, str]:
    """What a pane says above the rows: name → short text; what is of no news is left out."""
    lines = {
        "trouble": " · ".join(str(trouble) for trouble in wrong),
        "hit rate": _hits(values),
        "memory": _memory(info, values),
        "evictions": _evictions(values),
        "clients": _clients(values),
        "ops": f"{values['ops_per_s']:,.0f}/s" if "ops_per_s" in values else "",
        "keys": _keys(keyspace(info)),
        "replication": _replication(info),
        "slow log": f"{values['slowlog_len']:,.0f} entries" if values.get("slowlog_len") else "",
        "version": info.get("redis_version", ""),
        "not visible": " · ".join(denied),
    }
    return {name: text for name, text in lines.items() if text}


def summary(info: Info, values: Mapping[str, float], wrong: Sequence[Trouble]) -> str:
    """The line that stands for the whole server."""
    if wrong:
        return str(wrong[0])
    words = []
    hit = values.get("hit_percent_now", values.get("hit_percent"))
    if hit is not None:
        words.append(f"hit {hit:.0f}%")
    if "memory_bytes" in values:
        words.append(size(values["memory_bytes"]))
    words.append(f"{values.get('keys', 0):,.0f} keys")
    if info.get("role") == "slave":
        words.append("replica")
    return ", ".join(words)


def rows(slow: Sequence[SlowCall], now: float) -> tuple[Row, ...]:
    """The slow log, newest first; `now` in Unix seconds."""
    return tuple(
        Row(
            key=str(one.id),
            name=f"slow call {one.id}",
            cells=(
                one.id,
                max(0.0, now - one.at),
                one.duration,
                one.client,
                one.name,
                shorten(one.command, _CELL_WIDTH),
            ),
            data={"id": one.id, "command": one.command, "client": one.client},
        )
        for one in slow
    )


def share(part: float, rest: float) -> float | None:
    """`part` of both in percent; None of nothing."""
    return 100.0 * part / (part + rest) if part + rest > 0 else None


def _hits(values: Mapping[str, float]) -> str:
    if "hit_percent" not in values:
        return "no lookups yet"
    now = values.get("hit_percent_now")
    ever = f"{values['hit_percent']:.1f}% since start"
    return ever if now is None else f"{now:.1f}% now, {ever}"


def _memory(info: Info, values: Mapping[str, float]) -> str:
    if "memory_bytes" not in values:
        return ""
    words = size(values["memory_bytes"])
    if "memory_max_bytes" in values:
        words += f" of {size(values['memory_max_bytes'])}"
        words += f", {info.get('maxmemory_policy', '')}" if "maxmemory_policy" in info else ""
    else:
        words += ", no limit"
    ratio = values.get("memory_fragmentation", 1.0)
    big = values["memory_bytes"] > 100 * 1024 * 1024  # below that the ratio is all allocator
    return words + (f", fragmentation {ratio:.1f}" if big and ratio >= 1.5 else "")


def _evictions(values: Mapping[str, float]) -> str:
    rate = values.get("evictions_per_s")
    if not values.get("evicted"):
        return ""
    total = f"{values['evicted']:,.0f} in all"
    return total if rate is None else f"{rate:,.1f}/s, {total}"


def _clients(values: Mapping[str, float]) -> str:
    if "clients" not in values:
        return ""
    words = f"{values['clients']:,.0f}"
    if "clients_max" in values:
        words += f" of {values['clients_max']:,.0f}"
    blocked = values.get("blocked_clients")
    return words + (f", {blocked:,.0f} blocked" if blocked else "")


def _keys(by_db: Mapping[int, int]) -> str:
    if not by_db:
        return "none"
    shown = [f"db{db} {count:,}" for db, count in list(by_db.items())[:_DBS_SHOWN]]
    more = len(by_db) - len(shown)
    return " · ".join([*shown, *([f"{more} more"] if more > 0 else [])])


def _replication(info: Info) -> str:
    if info.get("role") == "slave":
        of = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        return f"replica of {of}, read-only, link {info.get('master_link_status', 'unknown')}"
    found = replicas(info)
    if not found:
        return ""
    behind = lag(info)
    offline = sum(one.get("state") != "online" for one in found)
    words = f"{len(found)} {'replica' if len(found) == 1 else 'replicas'}"
    words += f", lag {behind:.0f}s" if behind is not None else ""
    return words + (f", {offline} not online" if offline else "")
