"""Which actions a room offers: the config's mitigations, and those of a pane's selected row."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from warroom.domain.clock import Clock
from warroom.engine.members import MitigationMember, ProbeMember
from warroom.engine.running import Action, Create
from warroom.engine.session import Session
from warroom.engine.talkers import TALKERS, TalkersProbe
from warroom.hosts.base import Host
from warroom.mitigations.base import (
    Mitigation,
    MitigationContext,
    MitigationSpec,
    Output,
    Signature,
    spec,
)

Sign = Callable[[], Signature]

PANE_ACTIONS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "docker": (("r", "docker.restart"), ("S", "docker.stop"), ("s", "docker.start")),
    "postgres": (("C", "postgres.cancel"), ("K", "postgres.terminate")),
    "redis": (("F", "redis.flushdb"),),
}
"""Key and kind of what a pane offers for its selected row, by probe kind."""


def actions_for(
    probes: Sequence[ProbeMember],
    mitigations: Sequence[MitigationMember],
    hosts: Mapping[str, Host],
    clock: Clock,
    sign: Sign = Signature,
) -> tuple[Action, ...]:
    """Configured mitigations first, then each pane's own. `sign` says who acts at the moment."""
    actions = [_configured(member, probes, hosts, clock, sign) for member in mitigations]
    for probe in probes:
        for key, kind in PANE_ACTIONS.get(probe.entry.kind, ()):
            actions.append(_of_pane(probe, spec(kind), key, hosts, clock))
    return tuple(actions)


def signer(session: Session) -> Sign:
    """Who sits at this console, in the incident that is open when it is asked."""

    def sign() -> Signature:
        incident = session.incident.id if session.incident else ""
        return Signature(session.author.login, session.author.origin, incident)

    return sign


def _configured(
    member: MitigationMember,
    probes: Sequence[ProbeMember],
    hosts: Mapping[str, Host],
    clock: Clock,
    sign: Sign,
) -> Action:
    entry = member.entry
    context = MitigationContext(hosts[entry.on], clock, title=entry.title, sign=sign)
    return Action(
        id=f"config:{entry.place[1]}",
        key=entry.key,
        title=entry.title or member.spec.title,
        spec=member.spec,
        source=_source(member, probes),
        create=_creator(member.spec, member.options, context),
        target=str(getattr(member.options, member.spec.target_option or "", "")),
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


def _of_pane(
    probe: ProbeMember, kind: MitigationSpec, key: str, hosts: Mapping[str, Host], clock: Clock
) -> Action:
    shared = {field.name for field in dataclasses.fields(kind.options)}
    given = {
        field.name: getattr(probe.options, field.name)
        for field in dataclasses.fields(probe.options)
        if field.name in shared
    }
    context = MitigationContext(hosts[probe.entry.on], clock)
    return Action(
        id=f"pane:{probe.entry.name}:{kind.kind}",
        key=key,
        title=kind.title,
        spec=kind,
        source=probe.entry.name,
        create=_creator(kind, kind.options(**given), context),
    )


def _creator(kind: MitigationSpec, options: Any, context: MitigationContext) -> Create:
    def create(output: Output, fence: Callable[[], None]) -> Mitigation:
        return kind.create(options, dataclasses.replace(context, output=output, fence=fence))

    return create
