"""A playbook's tasks → actions for the executor; what they are filled in with; marks on them.

Here the rooms meet: what `runbooks` reads becomes what `mitigations` runs, on a host of `hosts`.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.events import Event, Kind
from warroom.domain.text import harmless, shorten
from warroom.engine.playbook import Entry, filled, standings
from warroom.engine.running import Action
from warroom.engine.settling import Settling, refuse
from warroom.mitigations._step import Step, reads_spec, step_spec
from warroom.mitigations._step_run import Terminal
from warroom.mitigations.base import Mitigation, MitigationRefused, Output, Risk
from warroom.runbooks.fill import is_secret, wanted
from warroom.runbooks.manner import Manner, manner

if TYPE_CHECKING:
    from warroom.engine.playbook import Standing
    from warroom.engine.room import Room
    from warroom.engine.shelf import Book
    from warroom.runbooks.model import Playbook

LIMIT_S: Final = 60.0
ENDLESS_S: Final = 30.0
QUERY_S: Final = 10.0
TERMINAL_S: Final = 3600.0
LONGEST_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Question:
    """A placeholder that is to be filled in; `offers` are values that are known."""

    name: str
    is_secret: bool
    offers: tuple[str, ...] = ()


class Steps:
    """Belongs to a room. Secrets that were filled in are kept here alone, for as long as the
    incident is open; all else is known from the record, too."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._given: dict[tuple[str, str], str] = {}
        self._forgotten: set[tuple[str, str]] = set()
        self._kept: tuple[tuple[str, int, int], Mapping[str, Standing]] | None = None
        self._told: list[Event] = []
        self._read = ("", 0)
        """The incident whose events were looked through, and how many of them."""

    # How far they are -------------------------------------------------------------------------

    def standings(self) -> Mapping[str, Standing]:
        """How far each task is, by its key; nothing while no incident is open."""
        requests = self._room.executor.book.requests
        told = self._events()
        state = self._read[0], len(told), requests.last
        if self._kept is None or self._kept[0] != state:
            self._kept = state, standings(told, requests)
        return self._kept[1]

    def _events(self) -> Sequence[Event]:
        """Those that may be about a step: a long incident is looked through once."""
        events = self._room.session.events
        first, seen = events[0].id if events else "", self._read[1]
        if first != self._read[0] or len(events) < seen:
            self._told, seen = [], 0
        self._told += [e for e in events[seen:] if e.kind in (Kind.STEP, Kind.REQUESTED)]
        self._read = first, len(events)
        return self._told

    async def mark(
        self, book: Book, playbook: Playbook, entry: Entry, mark: str, why: str = ""
    ) -> Event:
        """Write down that a task is `done`, `skipped`, `answered` or `open` again. Raises
        NoIncident, NotSaved."""
        what = {"done": "marked done", "skipped": "skipped", "answered": "answered"}
        place = f"{book.name}:{entry.line}"
        said = shorten(self._shown(entry.text), 200)
        text = f"{playbook.title}: {what.get(mark, 'open again')}: {said}"
        data = {
            "key": entry.key, "mark": mark, "why": harmless(why), "place": place,
            "playbook": playbook.title,
        }  # fmt: skip
        return await self._room.session.record(
            Kind.STEP, f"{text} ({harmless(why)})" if why else text, data
        )

    def _shown(self, text: str) -> str:
        from warroom.runbooks.veil import veiled

        return veiled(" ".join(text.split()))[0]

    # What they are filled in with ---------------------------------------------------------------

    def values(self) -> dict[str, str]:
        """What placeholders have been filled in with in this incident, secrets among them."""
        incident = self._incident()
        own = {name: value for (of, name), value in self._given.items() if of == incident}
        said = {
            name: value
            for name, value in filled(self._events()).items()
            if (incident, name) not in self._forgotten
        }
        return {**said, **own}

    def give(self, name: str, value: str) -> None:
        """Fill a placeholder in. Raises MitigationRefused for what is no printable line."""
        from warroom.config.inputs import Input
        from warroom.config.scalars import Wrong

        try:
            Input("value").value(value)
        except Wrong as wrong:
            raise MitigationRefused(f"{harmless(name)} {wrong.message}") from None
        self._given[self._incident(), name] = value

    def forget(self, name: str) -> None:
        """Ask for it again."""
        self._given.pop((self._incident(), name), None)
        self._forgotten.add((self._incident(), name))

    async def questions(self, book: Book, entry: Entry, on: str = "") -> tuple[Question, ...]:
        """What has to be filled in before it runs. Variables that are set where it runs are not
        asked for."""
        known = self.values()
        missing = [name for name in wanted(entry.text) if name not in known]
        asked = []
        for name in missing:
            if name.startswith("$") and await self._is_set(name[1:], entry, on):
                continue
            asked.append(Question(name, is_secret(name), self._offers(book, name)))
        return tuple(asked)

    async def _is_set(self, name: str, entry: Entry, on: str) -> bool:
        """Whether the variable is in the environment that the task will have."""
        from warroom.hosts.base import HostError

        try:
            settling = self._settling(on, None)
            where = settling.reached(entry)
        except MitigationRefused:
            return False
        if where.inside:
            return False
        if not where.host:
            return name in os.environ
        try:
            looked = await self._room.hosts[where.host].run(["printenv", name], limit=1)
        except HostError:
            return False
        return looked.code == 0

    def _offers(self, book: Book, name: str) -> tuple[str, ...]:
        from warroom.engine.offers import offers

        if is_secret(name):
            return ()
        before = filled(self._events()).get(name, "")
        known = (before, *offers(self._room, book, name))
        return tuple(dict.fromkeys(value for value in known if value))

    def _incident(self) -> str:
        incident = self._room.session.incident
        return incident.id if incident else ""

    # What they become ---------------------------------------------------------------------------

    def settled(
        self, book: Book, playbook: Playbook, entry: Entry, *, on: str = "", limit_s: float = 0.0,
        terminal: Terminal | None = None, probe: str = "",
    ) -> Step:  # fmt: skip
        """The task, ready to be shown and run on the host `on`; with `terminal`, it is given that.
        Raises MitigationRefused."""
        refuse(entry.why_not)
        made = self._settling(on, terminal)
        return made.step(
            book, playbook, entry, self.values(), limit_s or usual_limit(entry, terminal), probe,
            lambda: self._room.shelf.stale(book),
        )  # fmt: skip

    def action(self, step: Step) -> Action:
        """What the executor arms."""
        return self._action(f"step:{step.key}", step_spec(step), step.title, step.host, step)

    def reads(
        self, book: Book, playbook: Playbook, listed: Sequence[Entry], on: str = ""
    ) -> Action:
        """One action for every task that only looks; its card says which are left out, and why.
        Raises MitigationRefused when none is left."""
        steps: list[Step] = []
        left: list[str] = []
        for entry in listed:
            if not entry.is_runnable or entry.risk.value != Risk.READ.value:
                continue
            try:
                refuse(self._waits(entry))
                steps.append(self.settled(book, playbook, entry, on=on))
            except MitigationRefused as error:
                left.append(f"line {entry.line}: {error}")
        if not steps:
            raise MitigationRefused(left[0] if left else "no step here only looks")
        spec = reads_spec(playbook.title, steps, left)
        title = f"{playbook.title}: every step that only looks"
        id = f"reads:{steps[0].key}"
        return self._action(id, spec, title, steps[0].host, steps[0])

    def _waits(self, entry: Entry) -> str:
        """Why a task does not go along with the others."""
        open_ = [name for name in wanted(entry.text) if name not in self.values()]
        open_ = [name for name in open_ if not (name[0] == "$" and name[1:] in os.environ)]
        if open_:
            return f"{', '.join(open_)} is not filled in"
        if entry.part is not None and manner(entry.part) is not Manner.ENDS:
            return f"it {manner(entry.part)}"
        return ""

    def _settling(self, on: str, terminal: Terminal | None) -> Settling:
        room = self._room
        return Settling(room.settings, room.hosts, room.around.probes, on, terminal)

    def _action(self, id: str, spec: Any, title: str, host: str, options: Any) -> Action:
        around = self._room.around

        def create(output: Output, fence: Callable[[], None]) -> Mitigation:
            context = around.context(host, title)
            made: Mitigation = spec.create(
                options, dataclasses.replace(context, output=output, fence=fence)
            )
            return made

        return Action(
            id=id, key="", title=title, spec=spec, source="", create=create,
            production=around.production(host),
        )  # fmt: skip


def usual_limit(entry: Entry, terminal: Terminal | None = None) -> float:
    """Seconds that a task may take unless somebody says otherwise."""
    if terminal is not None:
        return TERMINAL_S
    if entry.part is None:
        return QUERY_S
    return ENDLESS_S if manner(entry.part) is Manner.ENDLESS else LIMIT_S
