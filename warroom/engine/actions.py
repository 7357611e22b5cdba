"""Which actions a room offers: the config's mitigations, and those of a pane's selected row."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from warroom.config.problems import Problem
from warroom.config.registry import UnknownMember
from warroom.config.settings import Settings
from warroom.config.shape import key_names, shape
from warroom.domain.clock import Clock
from warroom.domain.events import Event
from warroom.domain.text import harmless
from warroom.engine.members import MitigationMember, ProbeMember
from warroom.engine.running import Action, Create
from warroom.engine.session import Session
from warroom.engine.talkers import TALKERS, TalkersProbe
from warroom.hosts.base import Host
from warroom.mitigations.base import (
    Mitigation,
    MitigationContext,
    MitigationRefused,
    MitigationSpec,
    Output,
    Signature,
    spec,
)

Sign = Callable[[], Signature]

PANE_ACTIONS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "docker": (
        ("r", "docker.restart"),
        ("S", "docker.stop"),
        ("s", "docker.start"),
        ("R", "docker.recreate"),
        ("W", "docker.scale"),
        ("Y", "docker.logs"),
        ("X", "docker.disconnect"),
        ("F", "docker.prune"),
        ("E", "docker.bulk"),
    ),
    "postgres": (
        ("C", "postgres.cancel"),
        ("K", "postgres.terminate"),
        ("X", "postgres.terminate_idle"),
        ("W", "postgres.terminate_blockers"),
        ("Q", "postgres.cancel_active"),
        ("E", "postgres.terminate_active"),
    ),
    "redis": (
        ("F", "redis.flushdb"),
        ("E", "redis.flushall"),
        ("X", "redis.delete_pattern"),
        ("K", "redis.client_kill"),
        ("V", "redis.memory_purge"),
    ),
}
"""Key and kind of what a pane offers for its selected row, by probe kind."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What actions are made from: the probes, the hosts, and how the config calls each."""

    probes: Sequence[ProbeMember]
    hosts: Mapping[str, Host]
    clock: Clock
    sign: Sign = Signature
    settings: Settings = field(default_factory=Settings)

    def production(self, host: str) -> bool:
        """Whether what runs there is real."""
        named = self.settings.hosts.get(host)
        said = named.production if named is not None else None
        return self.settings.incident.production if said is None else said

    def context(self, host: str, title: str = "") -> MitigationContext:
        return MitigationContext(self.hosts[host], self.clock, title=title, sign=self.sign)


def actions_for(
    mitigations: Sequence[MitigationMember], around: Surroundings
) -> tuple[Action, ...]:
    """Configured mitigations first, then each pane's own."""
    actions = [_configured(member, around) for member in mitigations]
    for probe in around.probes:
        for key, kind in PANE_ACTIONS.get(probe.entry.kind, ()):
            actions.append(_of_pane(probe, spec(kind), key, around))
    return tuple(actions)


def action_back(undo: Mapping[str, Any], request: Event, around: Surroundings) -> Action:
    """What takes a request back, made from the record alone: `undo` as its outcome keeps it.

    The probe that the request was about lends its options (dsn, url, socket...), which the record
    never holds. Raises MitigationRefused where this config cannot make it.
    """
    kind, host = str(undo.get("kind", "")), str(undo.get("host", ""))
    title = harmless(str(undo.get("title", ""))) or f"Undo: {request.data.get('title', '')}"
    source = str(request.data.get("source", ""))
    if host not in around.hosts:
        raise MitigationRefused(f"the config has no host {host}, where it would be taken back")
    try:
        made = spec(kind)
    except UnknownMember:
        raise MitigationRefused(f'this warroom has no mitigation of kind "{kind}"') from None
    given = undo.get("options")
    lent = _lent_by(source, made, around)
    problems: list[Problem] = []
    table = {**lent, **(given if isinstance(given, Mapping) else {})}
    options: Any = shape(made.options, table, (), problems)
    if options is None:
        wrong = problems[0]
        place = ".".join(map(str, wrong.path))
        raise MitigationRefused(f"cannot be taken back from here: {place} {wrong.message}".strip())
    return Action(
        id=f"undo:{request.incident}:{request.seq}",
        key="",
        title=title,
        spec=made.fitted(options),
        source=source,
        create=_creator(made, options, around.context(host, title)),
        target=str(getattr(options, made.target_option or "", "")) or title,
        production=around.production(host),
    )


def _lent_by(source: str, kind: MitigationSpec, around: Surroundings) -> Mapping[str, Any]:
    for probe in around.probes:
        if probe.entry.name == source and probe.entry.kind == kind.acts_on:
            known = key_names(kind.options)
            return {k: v for k, v in probe.entry.options.items() if k in known}
    return {}


def signer(session: Session) -> Sign:
    """Who sits at this console, in the incident that is open when it is asked."""

    def sign() -> Signature:
        incident = session.incident.id if session.incident else ""
        return Signature(session.author.login, session.author.origin, incident)

    return sign


def _configured(member: MitigationMember, around: Surroundings) -> Action:
    entry = member.entry
    context = around.context(entry.on, entry.title)
    return Action(
        id=f"config:{entry.place[1]}",
        key=entry.key,
        title=entry.title or member.spec.title,
        spec=member.spec,
        source=_source(member, around.probes),
        create=_creator(member.spec, member.options, context),
        target=str(getattr(member.options, member.spec.target_option or "", "")),
        production=around.production(entry.on),
        approvals=entry.approvals,
        auto_undo=entry.auto_undo,
        settle=entry.settle,
    )


def _source(member: MitigationMember, probes: Sequence[ProbeMember]) -> str:
    """The probe whose metrics show the effect: named by `probe`, else the only one of the kind;
    top talkers are no probe of the config, and there is one of them."""
    named = member.entry.probe
    if not named and member.spec.acts_on == TalkersProbe.kind:
        return TALKERS
    fitting = [
        p.entry.name
        for p in probes
        if p.entry.kind == member.spec.acts_on and p.entry.on == member.entry.on
    ]
    return named or (fitting[0] if len(fitting) == 1 else "")


def _of_pane(probe: ProbeMember, kind: MitigationSpec, key: str, around: Surroundings) -> Action:
    shared = {field.name for field in dataclasses.fields(kind.options)}
    given = {
        field.name: getattr(probe.options, field.name)
        for field in dataclasses.fields(probe.options)
        if field.name in shared
    }
    context = around.context(probe.entry.on)
    return Action(
        id=f"pane:{probe.entry.name}:{kind.kind}",
        key=key,
        title=kind.title,
        spec=kind,
        source=probe.entry.name,
        create=_creator(kind, kind.options(**given), context),
        production=around.production(probe.entry.on),
    )


def _creator(kind: MitigationSpec, options: Any, context: MitigationContext) -> Create:
    def create(output: Output, fence: Callable[[], None]) -> Mitigation:
        return kind.create(options, dataclasses.replace(context, output=output, fence=fence))

    return create
