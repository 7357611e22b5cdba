"""The entries of the lists of a config: `[[probe]]`, `[[log]]`, `[[mitigation]]`, `[[check]]`,
`[[channel]]`, `[[contact]]`, `[[search]]`.

Only the keys that every kind has are looked at; a kind's own are shaped by whoever knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from warroom.config import settings as s
from warroom.config.packaged import completed, linked
from warroom.config.problems import Path, Problem, nearest
from warroom.config.scalars import Wrong, named, scalar
from warroom.config.shape import duration_or_problem, shape
from warroom.config.values import Line, Name

COMMON_PROBE: Final = ("kind", "name", "on", "every", "timeout")
"""Keys of every `[[probe]]`, whatever its kind."""
COMMON_MITIGATION: Final = (
    "kind", "use", "title", "key", "on", "probe", "approvals", "auto_undo", "settle",
)  # fmt: skip
"""Keys of every `[[mitigation]]`, whatever its kind."""
COMMON_CHANNEL: Final = ("kind", "name", "audience")
"""Keys of every `[[channel]]`, whatever its kind."""
LEAST_EVERY: Final = 0.1
"""Seconds. The observer does no harm: ten looks a second are the most."""
LEAST_TIMEOUT: Final = 0.05
LEAST_SETTLE: Final = 0.1

_Entry = Mapping[str, Any]


def probes(items: list[Any], problems: list[Problem]) -> Iterator[s.ProbeEntry]:
    """`[[probe]]`, each named after its kind unless it says otherwise."""
    for place, entry in _tables("probe", items, problems):
        every, timeout = (*place, "every"), (*place, "timeout")
        kind = _kind(entry, place, problems)
        if kind:
            yield s.ProbeEntry(
                kind=kind,
                name=_text(entry, "name", place, problems, Name) or kind,
                on=_text(entry, "on", place, problems),
                every=duration_or_problem(entry.get("every"), every, problems, least=LEAST_EVERY),
                timeout=duration_or_problem(
                    entry.get("timeout"), timeout, problems, least=LEAST_TIMEOUT
                ),
                options={k: v for k, v in entry.items() if k not in COMMON_PROBE},
                place=place,
            )


def logs(items: list[Any], problems: list[Problem]) -> Iterator[s.LogEntry]:
    """`[[log]]`, whole: every log has the same keys."""
    for place, entry in _tables("log", items, problems):
        shaped = shape(s.LogEntry, entry, place, problems)
        if shaped:
            object.__setattr__(shaped, "place", place)  # what is wrong is found out later, too
            yield shaped


def mitigations(items: list[Any], problems: list[Problem]) -> Iterator[s.MitigationEntry]:
    """`[[mitigation]]`; a title that is not given stays empty: the kind has one. With `use` it
    begins as a packaged one."""
    found = []
    for place, own in _tables("mitigation", items, problems):
        entry = completed(own, place, problems)
        kind = _kind(entry, place, problems) if entry is not None else ""
        if entry is not None and kind:
            found.append(
                s.MitigationEntry(
                    kind=kind,
                    title=_text(entry, "title", place, problems),
                    key=_text(entry, "key", place, problems),
                    on=_text(entry, "on", place, problems),
                    options={k: v for k, v in entry.items() if k not in COMMON_MITIGATION},
                    place=place,
                    probe=_text(entry, "probe", place, problems),
                    use=_text(entry, "use", place, problems),
                    approvals=_persons(entry, place, problems),
                    auto_undo=bool(_value(entry, "auto_undo", bool, place, problems)),
                    settle=duration_or_problem(
                        entry.get("settle"), (*place, "settle"), problems, least=LEAST_SETTLE
                    ),
                )
            )
    yield from linked(found, problems)


def channels(items: list[Any], problems: list[Problem]) -> Iterator[s.ChannelEntry]:
    """`[[channel]]`, each named after its kind unless it says otherwise."""
    for place, entry in _tables("channel", items, problems):
        kind = _kind(entry, place, problems)
        if kind:
            yield s.ChannelEntry(
                kind=kind,
                name=_text(entry, "name", place, problems, Name) or kind,
                audience=_text(entry, "audience", place, problems, Name),
                options={k: v for k, v in entry.items() if k not in COMMON_CHANNEL},
                place=place,
            )


def contacts(items: list[Any], problems: list[Problem]) -> Iterator[s.ContactSettings]:
    """`[[contact]]`, whole: every contact has the same keys."""
    for place, entry in _tables("contact", items, problems):
        shaped = shape(s.ContactSettings, entry, place, problems)
        if shaped:
            yield shaped


def searches(items: list[Any], problems: list[Problem]) -> Iterator[s.SearchEntry]:
    """`[[search]]`, whole: every search has the same keys."""
    for place, entry in _tables("search", items, problems):
        shaped = shape(s.SearchEntry, entry, place, problems)
        if shaped:
            object.__setattr__(shaped, "place", place)  # what is wrong is found out later, too
            yield shaped


def checks(items: list[Any], problems: list[Problem]) -> Iterator[Mapping[str, Any]]:
    """`[[check]]`, a team's own: tables as they are, with the keys of `checks/*.toml` (id, kind,
    metric or column, above, warn, critical, looks, clear, message), for the engine to shape."""
    for _, entry in _tables("check", items, problems):
        yield entry


def references(
    settings: s.Settings,
    arrays: Mapping[str, list[Any]],
    hosts: Iterable[str],
    problems: list[Problem],
) -> None:
    """Names must be unique, and `on` must name a host, `probe` a probe.

    Asked of the plain tables, so that another mistake in an entry does not hide this one. `hosts`
    are all that the file names, right or not.
    """
    known = list(hosts)
    _unique([(p.place, "name", p.name) for p in settings.probes], "probe", problems)
    _unique(
        [(m.place, "key", m.key) for m in settings.mitigations if m.key], "mitigation", problems
    )
    _unique([(c.place, "name", c.name) for c in settings.channels], "channel", problems)
    logs = [(("log", i), "name", _said(log, "name")) for i, log in enumerate(arrays["log"])]
    _unique([log for log in logs if log[2]], "log", problems)
    searches = [(("search", i), "name", _said(e, "name")) for i, e in enumerate(arrays["search"])]
    _unique([search for search in searches if search[2]], "search", problems)
    for name in ("probe", "log", "mitigation"):
        for index, entry in enumerate(arrays[name]):
            on = _said(entry, "on")
            if on and on not in known:
                hint = nearest(on, known) or f"add [hosts.{on}]"
                problems.append(
                    Problem((name, index, "on"), f"no host is called {named(on)}", hint)
                )
    probe_names = [probe.name for probe in settings.probes]
    for mitigation in settings.mitigations:
        if mitigation.probe and mitigation.probe not in probe_names:
            path = (*mitigation.place, "probe")
            message = f"no probe is called {named(mitigation.probe)}"
            problems.append(Problem(path, message, nearest(mitigation.probe, probe_names)))


def check_name(name: str, place: Path, problems: list[Problem], *, at_key: bool = False) -> None:
    """Adds a problem when `name` is not 1 to 64 printable characters."""
    try:
        scalar(Name, name)
    except Wrong as wrong:
        problems.append(Problem(place, wrong.message, wrong.hint, at_key))


def _tables(
    name: str, items: list[Any], problems: list[Problem]
) -> Iterator[tuple[tuple[str, int], _Entry]]:
    for index, item in enumerate(items):
        if isinstance(item, Mapping):
            yield (name, index), item
        else:
            message = f"expected a table, found {named(item)}"
            problems.append(Problem((name, index), message, f"write it as [[{name}]]"))


def _kind(entry: _Entry, place: Path, problems: list[Problem]) -> str:
    if "kind" in entry:
        return _text(entry, "kind", place, problems)
    problems.append(Problem(place, '"kind" is missing', 'such as kind = "http"'))
    return ""


def _text(
    entry: _Entry, key: str, place: Path, problems: list[Problem], meaning: object = Line
) -> str:
    found = _value(entry, key, meaning, place, problems)
    return "" if found is None else str(found)


def _value(entry: _Entry, key: str, meaning: object, place: Path, problems: list[Problem]) -> Any:
    """None where it is not given, or wrong."""
    if key not in entry:
        return None
    try:
        return scalar(meaning, entry[key])
    except Wrong as wrong:
        problems.append(Problem((*place, key), wrong.message, wrong.hint))
        return None


def _persons(entry: _Entry, place: Path, problems: list[Problem]) -> int:
    found = _value(entry, "approvals", int, place, problems)
    if found is None:
        return 0
    try:
        s.check_approvals(found)
    except ValueError as error:
        problems.append(Problem((*place, "approvals"), str(error).partition(": ")[2]))
        return 0
    return int(found)


def _said(entry: object, key: str) -> str:
    value = entry.get(key) if isinstance(entry, Mapping) else None
    return value if isinstance(value, str) else ""


def _unique(
    named_things: Sequence[tuple[Path, str, str]], what: str, problems: list[Problem]
) -> None:
    seen: set[str] = set()
    for place, key, word in named_things:
        if word in seen:
            message = f"{named(word)} is the {key} of another {what} already"
            problems.append(Problem((*place, key), message, f"give it a {key} of its own"))
        seen.add(word)
