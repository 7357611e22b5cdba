"""Every setting there is, frozen. Options of a probe, log format or mitigation kind belong to the
kind: they stay a plain table here and are shaped by whoever knows the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from warroom.config import problems
from warroom.config.checklist import ItemSettings
from warroom.config.values import Line, Name, Seconds, Secret, TimeZone
from warroom.domain import naming
from warroom.domain.severity import SCHEMES, Scheme

_NOTHING: Final = Line("")


def _doc(text: str) -> dict[str, str]:
    return {"doc": text}


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """`[incident]`"""

    scheme: str = field(
        default="P0-P3", metadata=_doc("P0-P3, P1-P4, SEV1-SEV4 or one of [schemes.NAME]")
    )
    timezone: TimeZone = field(default=TimeZone("UTC"), metadata=_doc("shown beside UTC"))
    runbooks: tuple[str, ...] = field(
        default=(), metadata=_doc("files or patterns, seen from the config's folder")
    )
    checklist: tuple[Line | ItemSettings, ...] = field(
        default=(), metadata=_doc("items to tick, in place of the runbooks' own")
    )
    postmortem: Line = field(
        default=Line("full"),
        metadata=_doc("a template's name, or a file, seen from the config's folder"),
    )
    watch: Seconds = field(
        default=Seconds(1800.0), metadata=_doc("how long a resolution is watched; 0: not at all")
    )
    channel: Line = field(
        default=_NOTHING, metadata=_doc('what its chat channel is called: "#incident-YYYYMMDD-NNN"')
    )

    production: bool = field(
        default=False, metadata=_doc("its systems are real: what changes them wants more words")
    )
    approvals: int = field(
        default=1, metadata=_doc("persons, the one who acts among them, for what destroys there")
    )

    def __post_init__(self) -> None:
        naming.check(self.channel)
        check_approvals(self.approvals)


def check_approvals(persons: int) -> None:
    """Raises ValueError for a number of persons that nobody can bring together."""
    if not 1 <= persons <= 5:
        raise ValueError("approvals: 1 is whoever acts alone, 2 wants another person; 5 at most")


@dataclass(frozen=True, slots=True)
class HostSettings:
    """`[hosts.NAME]`: reached over SSH as `user@name`; ~/.ssh/config applies."""

    ssh: Line = field(metadata=_doc('how ssh knows it: "web1" or "deploy@web1"'))
    production: bool | None = field(
        default=None, metadata=_doc("as [incident] says, unless it is said here")
    )

    def __post_init__(self) -> None:
        if not self.ssh or self.ssh.startswith("-") or " " in self.ssh:
            raise ValueError(
                f'ssh: "{self.ssh}" is not a host; write it as "web1" or "deploy@web1"'
            )


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """`[console]`: how the screen looks and answers."""

    theme: str = field(default="dark", metadata=_doc("a file of themes/, without .toml"))
    layout: Literal["room", "wide", "stack"] = field(
        default="room", metadata=_doc("room: tiles beside the sidebar; wide; stack: one a row")
    )
    observe: bool = field(default=False, metadata=_doc("look only: nothing can be changed"))
    share: bool = field(default=False, metadata=_doc("for a shared screen: secrets are masked"))
    ascii: bool = field(default=False, metadata=_doc("no characters beyond ASCII"))
    keys: Mapping[str, str] = field(
        default_factory=dict, metadata=_doc('other keys for commands, by id: { note = "N" }')
    )


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """`[journal]`: the file that keeps the incidents, or the database that machines share."""

    path: str = field(default="", metadata=_doc("empty: the user's state folder"))
    dsn: Secret | None = field(
        default=None, metadata=_doc('PostgreSQL for several machines: "env:WARROOM_JOURNAL"')
    )

    def __post_init__(self) -> None:
        if self.path and self.dsn is not None:
            raise ValueError("dsn: a journal is a file (path) or a database (dsn): name one")


@dataclass(frozen=True, slots=True)
class ProbeEntry:
    """One `[[probe]]`. `options` are the kind's own keys; `place` is where it stands."""

    kind: str
    name: str
    on: str
    every: float | None
    timeout: float | None
    options: Mapping[str, Any]
    place: problems.Path


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One `[[log]]`: exactly one of `path`, `container`, `unit`, `pm2`, `argv`."""

    name: Name = field(metadata=_doc("what the pane calls it"))
    on: str = ""
    path: str = ""
    container: str = ""
    unit: str = ""
    pm2: str = ""
    argv: tuple[str, ...] = ()
    socket: str = field(
        default="",
        metadata=_doc("the container's Docker engine; when not said, the docker probe's"),
    )
    access: bool | None = field(
        default=None, metadata={"doc": "counted by top talkers; found out when not said"}
    )
    format: str = field(
        default="",
        metadata=_doc(
            "a format's name, nginx's log_format as it is, a #Fields line, or a pattern with "
            "(?P<client>…); found out when not said"
        ),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(), metadata=_doc('whose X-Forwarded-For is believed: ["10.0.0.0/8"]')
    )
    place: problems.Path = field(default=(), init=False, compare=False)

    def __post_init__(self) -> None:
        for proxy in self.trusted_proxies:
            _check_network(proxy)
        given = [k for k in ("path", "container", "unit", "pm2", "argv") if getattr(self, k)]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"a log wants one of path, container, unit, pm2, argv; found {found}")


def _check_network(text: str) -> None:
    """Raises ValueError for what is no address and no network."""
    from ipaddress import ip_network

    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f'trusted_proxies: "{text}" is no address and no network; such as "10.0.0.0/8"'
        ) from None


@dataclass(frozen=True, slots=True)
class MitigationEntry:
    """One `[[mitigation]]`. `options` are the kind's own keys.

    `probe` names the probe whose options (dsn, url, socket...) and host fill those that are not
    given here; with only one probe of the kind that it acts on, that one does without being named.
    """

    kind: str
    title: str
    key: str
    on: str
    options: Mapping[str, Any]
    place: problems.Path
    probe: str = ""
    use: str = ""
    """The packaged definition that it began as, if any."""
    approvals: int = 0
    """Persons who must want it, the one who acts among them; 0: as `[incident]` says."""
    auto_undo: bool = False
    """Whether its end takes it back without a question."""
    settle: float | None = None
    """Seconds until its effect is looked at; None: as the kind says."""


@dataclass(frozen=True, slots=True)
class UpdatesSettings:
    """`[updates]`: the texts in which people are told."""

    templates: str = field(
        default="", metadata=_doc("a folder with templates of your own, such as chat.initial.j2")
    )


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """One `[[channel]]`. `options` are the kind's own keys; an empty `audience` is the kind's."""

    kind: str
    name: str
    audience: str
    options: Mapping[str, Any]
    place: problems.Path


@dataclass(frozen=True, slots=True)
class ContactSettings:
    """One `[[contact]]`: somebody to call. `level` is the step of the escalation ladder, 1 first;
    0 stands on none."""

    name: Name
    role: Line = _NOTHING
    phone: Line = _NOTHING
    email: Line = _NOTHING
    chat: Line = _NOTHING
    level: int = 0
    when: Line = field(default=_NOTHING, metadata=_doc('when = "P0 and P1, day and night"'))

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 9:
            raise ValueError("level: 1 is called first, 9 last; 0 stands on no ladder")
        if not (self.phone or self.email or self.chat):
            raise ValueError("a contact wants one of phone, email, chat")


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """One `[[search]]`: lines of the logs that are counted as they come, however much comes.
    `find` and `hide` are written as behind `/` in the console; thresholds are lines a minute."""

    name: Name = field(metadata=_doc("what the pane and the timeline call it"))
    find: Line = field(metadata=_doc('"authentication failure", "re:timed? out", "level:error"'))
    hide: Line = field(default=_NOTHING, metadata=_doc("not those that contain this"))
    log: Line = field(default=_NOTHING, metadata=_doc("only in the logs whose name has this"))
    warn: float | None = field(default=None, metadata=_doc("lines a minute from which it is told"))
    critical: float | None = field(default=None, metadata=_doc("and from which it is critical"))
    place: problems.Path = field(default=(), init=False, compare=False)

    def __post_init__(self) -> None:
        if not self.find:
            raise ValueError('find: what is looked for, such as "authentication failure"')
        least = [limit for limit in (self.warn, self.critical) if limit is not None]
        if any(limit <= 0 for limit in least):
            raise ValueError("warn: lines a minute, more than 0")
        if len(least) == 2 and least[1] < least[0]:
            raise ValueError("critical: fewer lines a minute than warn")


@dataclass(frozen=True, slots=True)
class AddressSettings:
    """`[addresses]`: what is known of clients besides what the logs say."""

    mmdb: tuple[str, ...] = field(
        default=(),
        metadata=_doc("databases of countries and networks, seen from the config's folder"),
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole config, and the file it came from (None: nothing was found)."""

    incident: IncidentSettings = field(default_factory=IncidentSettings)
    hosts: Mapping[str, HostSettings] = field(default_factory=dict)
    schemes: Mapping[str, Scheme] = field(default_factory=lambda: SCHEMES)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    probes: tuple[ProbeEntry, ...] = ()
    logs: tuple[LogEntry, ...] = ()
    mitigations: tuple[MitigationEntry, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    updates: UpdatesSettings = field(default_factory=UpdatesSettings)
    channels: tuple[ChannelEntry, ...] = ()
    contacts: tuple[ContactSettings, ...] = ()
    searches: tuple[SearchEntry, ...] = ()
    addresses: AddressSettings = field(default_factory=AddressSettings)
    file: Path | None = None

    @property
    def scheme(self) -> Scheme:
        return self.schemes[self.incident.scheme]
