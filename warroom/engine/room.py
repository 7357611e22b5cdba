"""The room: everything that a console or a command works with, joined once.

One way for data: probe → monitor → checks → recorder, and whoever subscribed. One way for facts:
session → journal. One way to act: executor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from warroom.config.checklist import items
from warroom.config.settings import LogEntry, Settings
from warroom.domain.checklist import DEFAULT, Item
from warroom.domain.clock import Clock, SteadyClock
from warroom.domain.events import Author
from warroom.domain.evidence import Evidence
from warroom.domain.sample import Finding, Health, Sample
from warroom.domain.severity import Scheme
from warroom.domain.timeline import Timeline
from warroom.engine import doing, log_searches
from warroom.engine.actions import Surroundings, actions_for, signer
from warroom.engine.checks import Check, CheckState, evaluate
from warroom.engine.course import Course
from warroom.engine.duty import Duty
from warroom.engine.editor import Editor
from warroom.engine.effects import LOOKS
from warroom.engine.evidence import of_log, of_sample
from warroom.engine.executor import Action, Armed, Around, Executor, Outcome, Running
from warroom.engine.ledger import Ledger
from warroom.engine.members import MitigationMember, ProbeMember
from warroom.engine.monitor import Monitor
from warroom.engine.outbox import Outbox
from warroom.engine.recorder import Change, Standing, Transitions, entry_id
from warroom.engine.session import Session
from warroom.engine.shelf import Shelf
from warroom.engine.steps import Steps
from warroom.engine.takeup import TakenUp
from warroom.engine.talker_rows import began, places_of
from warroom.engine.talkers import EVERY_S, TIMEOUT_S, TalkersProbe
from warroom.engine.telling import Teller
from warroom.hosts import tasks
from warroom.hosts.base import Host
from warroom.hosts.connect import host_for
from warroom.journal import name_of
from warroom.journal.base import Journal, JournalError
from warroom.logs.engine import LogEngine
from warroom.probes.base import ProbeContext

_DRAIN_S: Final = 5.0
_SHARED_S: Final = 1.0
"""How long the room waits for a shared journal before it opens without."""
OBSERVER: Final = "observer mode: this console changes nothing (started with --observe)"


class Room:
    """Built from a validated config; nothing is contacted before `open`."""

    def __init__(
        self,
        settings: Settings,
        probes: Sequence[ProbeMember],
        mitigations: Sequence[MitigationMember],
        checks: Sequence[Check],
        journal: Journal,
        author: Author,
        *,
        clock: Clock | None = None,
        observe: bool = False,
        dry_run: bool = False,
        ahead: Awaitable[TakenUp | None] | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self.settings, self.shelf = settings, shelf or Shelf()
        self.checks = (*checks, *log_searches.search_checks(settings.searches))
        self.clock, self.journal = clock or SteadyClock(), journal
        names = ("", *settings.hosts)
        self.hosts: dict[str, Host] = {name: host_for(name, settings) for name in names}
        self.session = _session(journal, self.clock, author, settings, ahead)
        self.editor = Editor(self.session)
        self.monitor = Monitor(self.clock)
        self.logs = self._log_engine(probes)
        self.executor = Executor(
            self.session,
            self.clock,
            observe=OBSERVER if observe else "",
            dry_run=dry_run,
            destructive=settings.incident.approvals,
            shared=self.shared,
        )
        for probe in probes:
            self._add(probe)
        self.talkers = TalkersProbe(self.logs, self.clock, partial(began, self.session))
        self._count_lines()
        self.around = Surroundings(probes, self.hosts, self.clock, signer(self.session), settings)
        self.actions: tuple[Action, ...] = actions_for(mitigations, self.around)
        self.ledger, self.steps = Ledger(self), Steps(self)
        self.teller = Teller(self, observe=self.executor.observe)
        self._checklist = items(settings.incident.checklist) or DEFAULT
        self.states: dict[str, CheckState] = {}
        self._transitions = Transitions()
        self._standing, self._begun = Standing(), ""
        self._changes: asyncio.Queue[tuple[Change, datetime]] = asyncio.Queue()
        self._listeners: list[Callable[[Sample], None]] = []
        self._writer: asyncio.Task[None] | None = None
        self.duty, self.course = Duty(self), Course(self.session, self.monitor)
        self.monitor.subscribe(self._seen)
        self.session.subscribe(self._incident_moved)

    def _add(self, member: ProbeMember) -> None:
        entry, spec = member.entry, member.spec
        timeout = entry.timeout or spec.timeout
        context = ProbeContext(entry.name, self.hosts[entry.on], self.clock, timeout)
        probe = spec.create(member.options, context)
        self.monitor.add(probe, every=entry.every or spec.every, timeout=timeout)

    def _log_engine(self, probes: Sequence[ProbeMember]) -> LogEngine:
        settings = self.settings
        logs = _with_sockets(settings.logs, probes)
        places, self._no_places = places_of(settings)
        return LogEngine(
            logs, self.hosts, clock=self.clock, searches=settings.searches, places=places
        )

    def _count_lines(self) -> None:
        """Top talkers and saved searches are sources like others, where there are logs."""
        self.talkers.trouble = self._no_places
        if not self.settings.logs:
            return
        self.monitor.add(self.talkers, every=EVERY_S, timeout=TIMEOUT_S)
        if self.settings.searches:
            searches = log_searches.SearchesProbe(self.logs, self.clock)
            self.monitor.add(searches, every=log_searches.EVERY_S, timeout=log_searches.TIMEOUT_S)

    def subscribe(self, listener: Callable[[Sample], None]) -> None:
        """`listener` is called with every sample once its checks are done."""
        self._listeners.append(listener)

    async def open(self, *, watch: bool = True) -> None:
        """Take up the open incident, and start to look at everything.

        Raises JournalError for a journal of this machine's own that cannot be read; one that
        several share may be away, and the incident is taken up when it is back.
        """
        self._writer = asyncio.create_task(self._write())
        self.journal.watch()
        self.session.start()
        await self._take_up()
        if watch:
            self.logs.start()
            self.monitor.start()
            self.duty.start()
            self.course.start()
            self.ledger.start()
        self.executor.start()

    async def _take_up(self) -> None:
        try:
            async with asyncio.timeout(_SHARED_S if self.shared else None):
                await self.session.resume()
        except (JournalError, TimeoutError):
            if not self.shared:
                raise
            self.journal.changed.set()  # the session goes on trying, and says why not

    async def close(self) -> None:
        """Stop everything; the incident goes on."""
        await self.duty.stop()
        await self.course.stop()
        await self.ledger.stop()
        await self.executor.stop()
        await self.monitor.stop()
        await self.logs.stop()
        if self._writer:
            await self.drain()
            await tasks.end([self._writer])
        if not (self.session.away and self.session.backlog.safe):
            await self.session.save_again()
        await self.session.stop()
        await asyncio.gather(
            *(host.close() for host in self.hosts.values()), return_exceptions=True
        )
        await self.journal.close()

    async def drain(self) -> None:
        """Wait until every change seen so far is written, or cannot be within five seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                await self._changes.join()

    def findings(self, source: str | None = None) -> tuple[Finding, ...]:
        """What does not hold now, worst first."""
        names = [source] if source else list(self.states)
        found = [f for name in names if name in self.states for f in self.states[name].findings]
        return tuple(sorted(found, key=lambda f: -f.level.health.rank))

    def health(self, source: str) -> Health:
        """A source's own health or its worst finding's, whichever is worse."""
        sample = self.monitor.latest.get(source)
        if sample is None:
            return Health.UNKNOWN
        found = (f.level.health for f in self.findings(source))
        return Health.worst([sample.health, *found])

    @property
    def checklist(self) -> tuple[Item, ...]:
        """What has to be done in this incident, in order."""
        return self._checklist

    @property
    def shared(self) -> bool:
        """Whether the journal is one that consoles on several machines share."""
        return self.settings.journal.dsn is not None

    @property
    def scheme(self) -> Scheme:
        """The open incident's own scheme where the config still has it, else the config's."""
        incident = self.session.incident
        known = self.settings.schemes.get(incident.scheme) if incident else None
        return known or self.session.scheme

    def timeline(self) -> Timeline:
        """The open incident's timeline. Raises NoIncident."""
        return self.session.timeline()

    def figures(self, action: Action) -> Sequence[Mapping[str, float]]:
        """The metrics that tell whether `action` helped, at the last looks, oldest first."""
        looks = self.monitor.history(action.source)[-LOOKS:]
        return [dict(look.metrics) for look in looks if look.metrics]

    def evidence(self, armed: Armed) -> tuple[Evidence, ...]:
        """What is kept of an action's system before it is changed for good: the last look at it,
        and the newest lines of a log that has its target's name."""
        sample = self.monitor.latest.get(armed.action.source)
        seen = []
        if sample is not None:
            kind = self.monitor.kind(sample.source)
            asks = self.monitor.asks(sample.source)
            seen.append(of_sample(sample, kind=kind, asks=asks, host=armed.card.host))
        log = of_log(self.logs, armed.card.target.label)
        return (*seen, log) if log else tuple(seen)

    def launch(self, armed: Armed, typed: str = "") -> Running:
        """Run an armed action through the gate; it goes on whoever watches it."""
        return self.executor.launch(armed, typed=typed, around=self._around(armed))

    async def run(self, armed: Armed, typed: str = "") -> Outcome:
        """Run an armed action through the gate, then look at its system again."""
        outcome = await self.executor.run(armed, typed=typed, around=self._around(armed))
        await self._look(armed.action)
        return outcome

    def others_at(self, armed: Armed) -> tuple[str, ...]:
        """Who else has a card open for the same target, in words."""
        return doing.others(self.session.present, self.session.console, armed.card)

    def _around(self, armed: Armed) -> Around:
        return Around(
            figures=lambda: self.figures(armed.action),
            look=lambda: self._look(armed.action),
            evidence=lambda: self.evidence(armed),
        )

    async def _look(self, action: Action) -> None:
        if action.source in self.monitor.latest:
            await self.monitor.step(action.source)

    def _seen(self, sample: Sample) -> None:
        kind = self.monitor.kind(sample.source)
        checks = [check for check in self.checks if check.kind == kind]
        state = evaluate(checks, sample, self.states.get(sample.source, CheckState()))
        self.states[sample.source] = state
        changes = self._transitions.health(sample)
        changes += self._transitions.findings(sample.source, state.findings)
        for change in changes:
            self._standing.take(change, sample.at)
            self._changes.put_nowait((change, sample.at))
        for listener in self._listeners:
            listener(sample)

    def _incident_moved(self) -> None:
        """An incident that begins while systems are ill is told so, as of when that was seen."""
        incident = self.session.incident
        if incident is not None and incident.id != self._begun:
            self._begun = incident.id
            for dated in self._standing:
                self._changes.put_nowait(dated)

    async def _write(self) -> None:
        while True:
            change, at = await self._changes.get()
            incident = self.session.incident
            try:
                if incident and incident.is_open:
                    key = entry_id(change, incident, self.session.events, self.session.unsaved)
                    said = change.kind, change.text, change.data
                    if key:
                        await self.session.record(*said, at=at, id=key)
            except JournalError:
                continue  # the session keeps it in `unsaved`, shows NOT SAVED and tries again
            finally:
                self._changes.task_done()


def _session(
    journal: Journal,
    clock: Clock,
    author: Author,
    settings: Settings,
    ahead: Awaitable[TakenUp | None] | None,
) -> Session:
    """With an outbox for what this journal does not take."""
    outbox = partial(Outbox, partial(name_of, settings))
    return Session(journal, clock, author, settings.scheme, outbox=outbox, ahead=ahead)


def _with_sockets(logs: Sequence[LogEntry], probes: Sequence[ProbeMember]) -> tuple[LogEntry, ...]:
    """Containers' logs from the engine that the docker probe of the same host looks at."""
    sockets = {p.entry.on: p.options.socket for p in probes if p.entry.kind == "docker"}
    return tuple(
        replace(log, socket=sockets[log.on])
        if log.container and not log.socket and log.on in sockets
        else log
        for log in logs
    )
