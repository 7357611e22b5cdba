"""Which pane already shows what a step asks: to jump there is quicker than to run it.

Only where the config has the very system that the command names, by its URL, path, name or host;
a system that is named otherwise, or not at all, is none. A step that does anything besides has no
answer. Pure: nothing is asked of any system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from warroom.engine.talkers import TALKERS
from warroom.runbooks.model import Part, Risk, Step, StepKind
from warroom.runbooks.sql import sql_risk, statements
from warroom.runbooks.unwrap import base_name, layers, operands, unwrapped
from warroom.runbooks.verbs import word_set

if TYPE_CHECKING:
    from warroom.config.settings import LogEntry, ProbeEntry, Settings
    from warroom.engine.discover.findings import Discovery, Found
    from warroom.runbooks.shell import Program

HEALTH: Final = frozenset({"http", "tls", "dns"})
"""Kinds of probes whose rows stand together."""

_FILTERS: Final = word_set(
    "grep egrep zgrep head tail sort uniq wc cut tr jq awk gawk sed less more cat column tee"
)
"""Behind a pipe they only narrow down what was asked."""
_LOOKS: Final = word_set("df free top htop uptime vmstat mpstat w")
_READERS: Final = word_set("tail cat less more head grep egrep zgrep awk gawk sed")
_DOCKER_VALUES: Final = (
    "-f", "--file", "-p", "--project-name", "--tail", "-n", "--since", "--until", "--format",
    "--filter", "-H", "--host",
)  # fmt: skip
_LISTS: Final = ("ps", "stats", "ls")
_SHOWN_TABLES: Final = frozenset({"pg_stat_activity", "pg_catalog.pg_stat_activity", "pg_locks"})
_FROM: Final = re.compile(r"\b(?:from|join)\s{1,20}([a-z_][a-z0-9_.]{0,80})", re.IGNORECASE)
_ENGINES: Final = frozenset({"docker", "docker-compose", "podman", "nerdctl", "kubectl", "oc"})
_REDIS_LOOKS: Final = frozenset({"info", "ping", "slowlog"})


@dataclass(frozen=True, slots=True)
class Answer:
    """`pane` is the key of the pane (docker, postgres, redis, health, machine, logs, talkers),
    `source` the probe or log in it, `says` what to say of it, in a few words; `row` is what a row
    is called that the step asks about, empty for all of them."""

    pane: str
    source: str
    says: str
    row: str = ""


def answer(step: Step, settings: Settings) -> Answer | None:
    """What shows all that `step` asks; None when anything in it is shown nowhere."""
    if step.kind is StepKind.QUERY:
        return of_query(step.command, settings)
    found = {of_part(part, settings) for part in step.runnable}
    return found.pop() if len(found) == 1 else None


def of_query(sql: str, settings: Settings) -> Answer | None:
    """A query of no server that is named: where there is but one, that is the one."""
    servers = [probe for probe in settings.probes if probe.kind == "postgres"]
    return _asked(sql, servers[0]) if len(servers) == 1 else None


def of_part(part: Part, settings: Settings) -> Answer | None:
    """What shows all that one command asks."""
    if part.assessment.risk is not Risk.READ or not part.programs:
        return None
    asking = [p for p in part.programs if not _narrows(p)]
    found = {_of_program(part, program, settings) for program in asking}
    if len(found) != 1:
        return None
    only = found.pop()
    if only is not None and only.pane == "logs" and _counts(part.programs):
        return Answer("talkers", TALKERS, f"top talkers counts the log {only.source}")
    if only is not None and only.pane == "docker":
        return replace(only, row=_container(part.programs))
    return only


def _container(programs: Iterable[Program]) -> str:
    """The one that `docker stats NAME`, `compose ps NAME` or `docker ps | grep NAME` is about."""
    for program in programs:
        argv = unwrapped(program.argv)
        if _narrows(program) and base_name(argv[0]) in ("grep", "egrep"):
            named = operands(argv[1:])
        else:
            given = _given(argv)
            named = given[1:] if given[:1] and given[0] in _LISTS else []
        if len(named) == 1:
            return named[0]
    return ""


def _narrows(program: Program) -> bool:
    return program.after == "|" and bool(program.argv) and base_name(program.argv[0]) in _FILTERS


def _counts(programs: Iterable[Program]) -> bool:
    """`… | awk '{print $1}' | sort | uniq -c`."""
    names = [base_name(program.argv[0]) for program in programs if program.argv]
    picks = any(name in ("awk", "gawk", "cut") for name in names)
    return picks and "sort" in names and "uniq" in names


def _of_program(part: Part, program: Program, settings: Settings) -> Answer | None:
    from warroom.engine.discover.runbooks import sighted

    argv = unwrapped(program.argv)
    asks = _ASKS.get(base_name(argv[0])) if argv else None
    if asks is None or program.assigns or any(r.op.startswith(">") for r in program.redirects):
        return None
    wanted = asks(argv, part.programs)
    if _is_inside(part, program):
        wanted = tuple(want for want in wanted if want == "log")
    seen = sighted(part, program)
    for want in wanted:
        for found in seen.found:
            if found.table.get("kind", "log") == want:
                shown = _matching(found, seen, settings)
                if shown is not None and _is_shown(want, shown, argv, program):
                    return _as_answer(want, shown, argv, program)
    return None


def _is_inside(part: Part, program: Program) -> bool:
    """Whether it runs in a container, from where addresses mean something else."""
    ways = (part.within, *layers(program.argv))
    return any(way[:1] and base_name(way[0]) in _ENGINES and "exec" in way[1:4] for way in ways)


# What a command asks ---------------------------------------------------------------------------

_Asks = Callable[[tuple[str, ...], Sequence["Program"]], tuple[str, ...]]
"""argv and the whole pipeline → the kinds of sources that would show it, the nearest first."""


def _docker(argv: tuple[str, ...], _: Sequence[Program]) -> tuple[str, ...]:
    given = _given(argv)
    verb = given[0] if given else ""
    if verb == "logs" and len(given) == 2:
        return ("log",)
    return ("docker",) if verb in _LISTS and len(given) <= 2 else ()


def _given(argv: Sequence[str]) -> list[str]:
    """The verb and what it is given."""
    given = operands(argv[1:], *_DOCKER_VALUES)
    return given[1:] if given[:1] in (["compose"], ["container"]) else given


def _redis(argv: tuple[str, ...], _: Sequence[Program]) -> tuple[str, ...]:
    given = operands(argv[1:], "-h", "-p", "-u", "-n", "-a", "--user", "--pass", keep=True)
    return ("redis",) if given and given[0].casefold() in _REDIS_LOOKS else ()


def _ps(_: tuple[str, ...], programs: Sequence[Program]) -> tuple[str, ...]:
    """The busiest processes are shown; whether a certain one is there, is not."""
    names = {base_name(program.argv[0]) for program in programs if program.argv}
    return () if names & {"grep", "egrep", "pgrep"} else ("machine",)


def _always(*kinds: str) -> _Asks:
    return lambda argv, programs: kinds


_ASKS: Final[Mapping[str, _Asks]] = {
    **dict.fromkeys(("docker", "docker-compose", "podman"), _docker),
    **dict.fromkeys(("redis-cli", "valkey-cli"), _redis),
    **dict.fromkeys(("curl", "wget"), _always("http", "tls")),
    **dict.fromkeys(("dig", "nslookup", "host"), _always("dns")),
    **dict.fromkeys(_LOOKS, _always("machine")),
    **dict.fromkeys(_READERS, _always("log")),
    "psql": _always("postgres"), "openssl": _always("tls"), "ps": _ps,
    "journalctl": _always("log"), "pm2": _always("log"),
}  # fmt: skip


# What the config has ---------------------------------------------------------------------------


def _matching(found: Found, seen: Discovery, settings: Settings) -> ProbeEntry | LogEntry | None:
    """The entry of the config that is the very same."""
    ssh = next((host.ssh for host in seen.hosts if host.name == found.table.get("on")), "")
    entries: Iterable[Any] = settings.logs if found.section == "log" else settings.probes
    same = _SAME.get(found.table.get("kind", "log"))
    for entry in entries:
        if same is not None and _same_host(ssh, entry.on, settings) and same(found.table, entry):
            chosen: ProbeEntry | LogEntry = entry
            return chosen
    return None


def _same_host(ssh: str, on: str, settings: Settings) -> bool:
    """By the machine's name; as whom one is logged in there does not matter to what is seen."""
    known = settings.hosts[on].ssh if on in settings.hosts else ""
    return ssh.rpartition("@")[2] == known.rpartition("@")[2]


def _same_log(table: Mapping[str, Any], entry: LogEntry) -> bool:
    if table.get("argv"):
        return tuple(table["argv"]) == tuple(entry.argv or ())
    if table.get("unit") and entry.unit:
        return bool(table["unit"].removesuffix(".service") == entry.unit.removesuffix(".service"))
    return any(table.get(key) and table[key] == getattr(entry, key)
               for key in ("path", "container", "pm2"))  # fmt: skip


def _kind_and(*keys: str) -> Callable[[Mapping[str, Any], ProbeEntry], bool]:
    def same(table: Mapping[str, Any], entry: ProbeEntry) -> bool:
        return entry.kind == table["kind"] and all(
            _plain(key, table.get(key)) == _plain(key, entry.options.get(key)) for key in keys
        )

    return same


def _plain(key: str, value: Any) -> Any:
    """Two ways to write the same address are one."""
    if key == "port":
        return 443 if value is None else value
    if key != "url" or not isinstance(value, str) or "://" not in value:
        return value
    try:
        parts = urlsplit(value)
        host, port = (parts.hostname or "").replace("localhost", "127.0.0.1"), parts.port
    except ValueError:
        return value
    usual = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}.get(parts.scheme)
    path = parts.path.rstrip("/")
    if parts.scheme.startswith("redis") and path == "/0":
        path = ""
    return parts.scheme, parts.username, host, port or usual, path, parts.query


_SAME: Final[Mapping[str, Callable[[Mapping[str, Any], Any], bool]]] = {
    "log": _same_log,
    "http": _kind_and("url"),
    "redis": _kind_and("url"),
    "postgres": _kind_and("dsn"),
    "dns": _kind_and("host"),
    "tls": _kind_and("host", "port"),
    "docker": _kind_and(),
    "machine": _kind_and(),
}


# What is said ----------------------------------------------------------------------------------


def _is_shown(want: str, shown: Any, argv: tuple[str, ...], program: Program) -> bool:
    return want != "postgres" or _asked(_sql(argv, program), shown) is not None


def _as_answer(want: str, shown: Any, argv: tuple[str, ...], program: Program) -> Answer | None:
    if want == "log":
        return Answer("logs", shown.name, f"the logs pane follows {shown.name}")
    if want == "postgres":
        return _asked(_sql(argv, program), shown)
    pane = "health" if want in HEALTH else want
    return Answer(pane, shown.name, f"the {pane} pane shows {shown.name}")


def _sql(argv: tuple[str, ...], program: Program) -> str:
    for index, word in enumerate(argv[:-1]):
        if word in ("-c", "--command"):
            return argv[index + 1]
    return program.stdin


def _asked(sql: str, probe: ProbeEntry) -> Answer | None:
    """A query that the pane asks by itself, or one of the team's own that the config has."""
    plain = " ".join(sql.split()).rstrip("; ")
    own = probe.options.get("queries")
    for name, known in own.items() if isinstance(own, Mapping) else ():
        if " ".join(str(known).split()).rstrip("; ") == plain:
            return Answer("postgres", probe.name, f"the postgres pane asks it: {name}")
    tables = {name.casefold() for name in _FROM.findall(sql)}
    reads = len(statements(sql)) == 1 and sql_risk(sql).risk is Risk.READ
    if not reads or not tables or not tables <= _SHOWN_TABLES:
        return None
    return Answer("postgres", probe.name, f"the postgres pane shows {probe.name}'s sessions")
