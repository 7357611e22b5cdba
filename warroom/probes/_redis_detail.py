"""All about one entry of the slow log, or about the server: fetched when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from warroom.domain.clock import span
from warroom.domain.sample import Detail, Section
from warroom.domain.text import harmless_bytes, shorten
from warroom.hosts.redis import RedisFault, RedisSession
from warroom.hosts.redis_info import clients, parse_sections, slow_calls
from warroom.probes._size import size
from warroom.probes.base import ProbeFault

_SLOWEST: Final = 128
_CLIENTS_SHOWN: Final = 12
_CONFIG: Final = (
    "maxmemory",
    "maxmemory-policy",
    "maxclients",
    "timeout",
    "save",
    "appendonly",
    "stop-writes-on-bgsave-error",
    "slowlog-log-slower-than",
)


async def of_call(session: RedisSession, key: str, now: float) -> Detail:
    """One entry of the slow log; `now` in Unix seconds. Raises ProbeFault when it is gone."""
    entries = slow_calls(await session.one("SLOWLOG", "GET", _SLOWEST))
    found = next((entry for entry in entries if str(entry.id) == key), None)
    if found is None:
        raise ProbeFault(f"slow call {key} is no longer in the slow log")
    pairs = (
        ("when", f"{span(max(0.0, now - found.at))} ago"),
        ("took", f"{found.duration * 1000:,.3f} ms"),
        ("client", found.client),
        ("name", found.name),
    )
    shown = tuple(pair for pair in pairs if pair[1])
    command = Section("command", lines=(found.command,))
    return Detail(f"slow call {key}", (Section("call", shown), command))


async def of_server(session: RedisSession, name: str) -> Detail:
    """INFO by section, the heaviest and the idlest clients, latency, the whole slow log."""
    config = [("CONFIG", "GET", option) for option in _CONFIG]
    info, listed, latency, slow, *settings = await session.ask(
        ("INFO",), ("CLIENT", "LIST"), ("LATENCY", "LATEST"), ("SLOWLOG", "GET", _SLOWEST), *config
    )
    sections = [
        _shown("slow log", slow, _slow_lines),
        _shown("clients by memory", listed, lambda raw: _client_lines(raw, "tot-mem")),
        _shown("clients by idle time", listed, lambda raw: _client_lines(raw, "idle")),
        _shown("latency", latency, _latency_lines),
        _settings(settings),
    ]
    if isinstance(info, RedisFault):
        raise info
    told = [Section(title, tuple(pairs.items())) for title, pairs in parse_sections(info) if pairs]
    return Detail(name, (*(section for section in sections if section), *told))


def _shown(title: str, answer: Any, lines: Callable[[Any], list[str]]) -> Section | None:
    """A section of an answer, or why there is none; nothing for an empty one."""
    if isinstance(answer, RedisFault):
        return Section(title, lines=(f"not shown: {answer}",))
    found = lines(answer)
    return Section(title, lines=tuple(found)) if found else None


def _slow_lines(answer: Sequence[Sequence[Any]]) -> list[str]:
    entries = sorted(slow_calls(answer), key=lambda entry: -entry.duration)
    return [
        f"{entry.duration * 1000:>10,.1f} ms  {entry.client:<22} {shorten(entry.command, 160)}"
        for entry in entries
    ]


def _client_lines(raw: bytes, field: str) -> list[str]:
    """The first by a field of CLIENT LIST, which old servers do not all have."""
    found = [one for one in clients(raw) if one.get(field, "").isdigit()]
    found.sort(key=lambda one: -int(one[field]))
    return [
        f"{_amount(field, int(one[field])):>10}  {one.get('addr', ''):<22} "
        f"db{one.get('db', '?')}  {one.get('cmd', '')}  {one.get('name', '')}".rstrip()
        for one in found[:_CLIENTS_SHOWN]
    ]


def _amount(field: str, value: int) -> str:
    return (span(value) if value else "0s") if field == "idle" else size(value)


def _latency_lines(answer: Sequence[Sequence[Any]]) -> list[str]:
    """Event, Unix seconds of the last spike, its milliseconds, the worst so far."""
    return [
        f"{harmless_bytes(event[0]):<24} last {int(event[2]):,} ms, worst {int(event[3]):,} ms"
        for event in answer
    ]


def _settings(answers: Sequence[Any]) -> Section | None:
    pairs: list[tuple[str, str]] = []
    for answer in answers:
        if isinstance(answer, RedisFault):
            return Section("settings", lines=(f"not shown: {answer}",))
        if len(answer) == 2:
            pairs.append((harmless_bytes(answer[0]), harmless_bytes(answer[1]) or "—"))
    return Section("settings", tuple(pairs)) if pairs else None
