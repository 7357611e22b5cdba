"""One look at a server as metrics and as facts in words. Pure.

Sources: pg_stat_activity, pg_stat_database (summed over all databases), pg_stat_replication,
pg_replication_slots, pg_database; see the `.sql` files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from warroom.domain.clock import span
from warroom.probes._size import size

WRAPAROUND: Final = 2_147_483_648
"""Transactions after which ids run out: the server stops writing 3 million earlier."""
_FEW_BLOCKS: Final = 200

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Totals:
    """Counters at one moment (seconds of a monotonic clock) of one life of the server."""

    at: float
    started: datetime
    transactions: float
    hits: float
    reads: float
    deadlocks: float
    temp_bytes: float


@dataclass(frozen=True, slots=True)
class Look:
    """What one look fetched. `size` is in bytes, None when it is not known; `replication` is
    empty when the role may not see it."""

    overview: Record
    replication: Record
    blocked: int
    size: float | None
    totals: Totals
    before: Totals | None


def totals(overview: Record, at: float) -> Totals:
    """The counters of `overview.sql`."""
    return Totals(
        at=at,
        started=overview["started"],
        transactions=_number(overview, "commits") + _number(overview, "rollbacks"),
        hits=_number(overview, "hits"),
        reads=_number(overview, "reads"),
        deadlocks=_number(overview, "deadlocks"),
        temp_bytes=_number(overview, "temp_bytes"),
    )


def metrics(look: Look) -> dict[str, float]:
    """Plain numbers by name; one that cannot be known is left out.

    `connections_percent` is of the slots that an ordinary role may take: without those reserved
    for superusers and for pg_use_reserved_connections.
    """
    o, r = look.overview, look.replication
    used, slots = _number(o, "connections"), _open_slots(o)
    values: dict[str, float | None] = {
        "connections": used,
        "connections_max": _number(o, "connections_max"),
        "connections_percent": min(100.0, 100.0 * used / slots),
        "active": _number(o, "active"),
        "idle": _number(o, "idle"),
        "idle_in_transaction": _number(o, "idle_in_transaction"),
        "waiting": _number(o, "waiting"),
        "blocked": float(look.blocked),
        "longest_query_s": _seconds(o, "longest_query_s"),
        "longest_transaction_s": _seconds(o, "longest_transaction_s"),
        "longest_idle_in_transaction_s": _seconds(o, "longest_idle_in_transaction_s"),
        "database_bytes": look.size,
        "cache_hit_percent": _share(look.totals.hits, look.totals.reads),
        "deadlocks": look.totals.deadlocks,
        "wraparound_percent": 100.0 * _number(o, "wraparound_age") / WRAPAROUND,
        "replication_lag_s": r.get("lag_s"),
        "replication_lag_bytes": r.get("lag_bytes"),
        "standbys": r.get("standbys"),
        "slot_retained_bytes": r.get("retained_bytes"),
        **_since(look.before, look.totals),
    }
    return {name: float(value) for name, value in values.items() if value is not None}


def _since(before: Totals | None, now: Totals) -> dict[str, float | None]:
    """What went on since the look before; nothing across a restart or a reset of the counters."""
    if before is None or before.started != now.started or now.at <= before.at:
        return {}
    if now.transactions < before.transactions:
        return {}
    seconds = now.at - before.at
    hits, reads = now.hits - before.hits, now.reads - before.reads
    return {
        "tps": (now.transactions - before.transactions) / seconds,
        "deadlocks_new": max(0.0, now.deadlocks - before.deadlocks),
        "temp_bytes_per_s": max(0.0, now.temp_bytes - before.temp_bytes) / seconds,
        "cache_hit_percent_now": _share(hits, reads) if hits + reads >= _FEW_BLOCKS else None,
    }


def facts(look: Look, values: Mapping[str, float]) -> dict[str, str]:
    """What a pane says above the rows: name → short text; what is of no news is left out."""
    o = look.overview
    lines = {
        "connections": f"{o['connections']}/{o['connections_max']}",
        "states": _states(o),
        "waiting": f"{o['waiting']}" + (f", {look.blocked} blocked" if look.blocked else ""),
        "longest query": _span(o["longest_query_s"]),
        "longest transaction": _span(o["longest_transaction_s"]),
        "idle in transaction": _idlers(o),
        "size": size(look.size) if look.size is not None else "",
        "cache hit": f"{values['cache_hit_percent']:.1f}%" if "cache_hit_percent" in values else "",
        "tps": f"{values['tps']:,.0f}" if "tps" in values else "",
        "replication": _replication(look.replication),
        "slots": _slots(look.replication),
        "deadlocks": f"{look.totals.deadlocks:,.0f}" if look.totals.deadlocks else "",
        "temp files": f"{size(values['temp_bytes_per_s'])}/s"
        if values.get("temp_bytes_per_s")
        else "",
        "wraparound": f"{values['wraparound_percent']:.0f}% of transaction ids used"
        if values["wraparound_percent"] >= 10
        else "",
        "reserved": _reserved(o),
        "visibility": _visibility(o),
    }
    return {name: text for name, text in lines.items() if text}


def summary(look: Look, values: Mapping[str, float]) -> str:
    """The line that stands for the whole server."""
    o = look.overview
    words = [f"{o['connections']}/{o['connections_max']} connections"]
    if o["connections"] >= _open_slots(o):
        words.append("no slot left")
    if o["waiting"]:
        words.append(f"{o['waiting']} waiting")
    if o["standby"] and values.get("replication_lag_s", 0.0) >= 1:
        words.append(f"standby {span(values['replication_lag_s'])} behind")
    return ", ".join(words)


def _open_slots(overview: Record) -> int:
    return max(1, int(overview["connections_max"]) - int(overview["reserved"]))


def _states(o: Record) -> str:
    parts = [
        (o["active"], "active"),
        (o["idle"], "idle"),
        (o["idle_in_transaction"], "idle in tx"),
        (o["other"], "other"),
        (max(0, o["hidden"]), "hidden"),
    ]
    return " ".join(f"{count} {word}" for count, word in parts if count) or "none but this one"


def _idlers(o: Record) -> str:
    if not o["idle_in_transaction"]:
        return ""
    return f"{o['idle_in_transaction']}, oldest {_span(o['longest_idle_in_transaction_s'])}"


def _replication(r: Record) -> str:
    if not r:
        return ""
    if r["standby"]:
        behind = [f"{_span(r['lag_s'])} behind"] if r["lag_s"] else []
        behind += [f"{size(r['lag_bytes'])} to replay"] if r["lag_bytes"] else []
        return ", ".join(["standby", *(behind or ["level"])])
    if not r["standbys"]:
        return ""
    many = "standby" if r["standbys"] == 1 else "standbys"
    stuck = r["standbys"] - r["streaming"]
    words = f"{r['standbys']} {many}, lag {span(max(0.0, r['lag_s'] or 0.0))}".replace("0ms", "0s")
    if r["lag_bytes"]:
        words += f", {size(r['lag_bytes'])}"
    return words + (f", {stuck} not streaming" if stuck else "")


def _slots(r: Record) -> str:
    if not r or not r["idle_slots"]:
        return ""
    kept = f", up to {size(r['retained_bytes'])} of WAL held back" if r["retained_bytes"] else ""
    return f"{r['idle_slots']} unused{kept}"


def _reserved(o: Record) -> str:
    if not o["reserved"]:
        return ""
    return f"{o['reserved']} of {o['connections_max']} kept for superusers"


def _visibility(o: Record) -> str:
    if o["sees_all"]:
        return ""
    return f"only own queries visible: GRANT pg_monitor TO {o['role']}"


def _span(seconds: float | None) -> str:
    return "" if seconds is None else span(max(0.0, seconds))


def _number(record: Record, name: str) -> float:
    return float(record[name] or 0)


def _seconds(record: Record, name: str) -> float:
    return max(0.0, float(record[name] or 0.0))


def _share(part: float, rest: float) -> float | None:
    whole = part + rest
    return 100.0 * part / whole if whole > 0 else None
