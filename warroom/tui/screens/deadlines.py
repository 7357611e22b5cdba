"""Every deadline: what is left, what is overdue, what was met, who is to be told. `D` opens it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final
from zoneinfo import ZoneInfo

from textual import work
from textual.binding import Binding, BindingType

from warroom.domain.clock import span
from warroom.domain.incident import UPDATE
from warroom.domain.timers import Timer, timers
from warroom.engine import promises
from warroom.tui.screens.dialogs import Option, choose
from warroom.tui.screens.drafted import ask_drafted
from warroom.tui.screens.listing import Listing, Row
from warroom.tui.widgets.deadlines import counted
from warroom.tui.widgets.lines import shortened, width_of

if TYPE_CHECKING:
    from warroom.engine.room import Room

WATCH: Final = "watch"


class DeadlinesScreen(Listing):
    """Snoozes one, takes a snooze back, or says that one was kept by other means."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "take", "snooze"),
        Binding("u", "wake", "take the snooze back"),
        Binding("d", "keep", "kept by other means"),
        Binding("D", "dismiss(None)", "back"),
    ]
    hint = "s snooze  u undo snooze  d told by other means  esc back"

    def __init__(self, room: Room, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        super().__init__(room)

    def heading(self) -> tuple[str, str]:
        past = sum(timer.overdue for timer in self._listed())
        return "deadlines", f"{past} overdue" if past else "none overdue"

    def rows(self) -> list[Row]:
        rows = [self._row(timer) for timer in self._listed()]
        left = self.room.duty.watch_left()
        if left is not None:
            why = "something that comes back reopens the incident"
            rows.append(Row(WATCH, [(f"{WATCH:<14} {counted(left)} left", "")], [(why, "dim")]))
        return rows or [Row("", [("nothing is promised for this severity", "dim")])]

    def _row(self, timer: Timer) -> Row:
        now = self.room.clock.now()
        text, style = state(timer)
        at = f"{'until' if timer.snoozed_until else 'at'} {self._time(timer.alarm_at, now)}"
        when = "" if timer.met_in is not None else f"{at:<12}"
        who = f"  tells {timer.who}" if timer.id.startswith(UPDATE) else f"  {timer.who}"
        left = [(f"{timer.label:<14} ", ""), (f"{text:<18} ", style), (when, "dim")]
        if width := self.body.size.width:  # whom it tells gives way, not when
            who = shortened(who, width - 4 - width_of(left))
        return Row(timer.id, left, [(who if timer.who else "", "dim")])

    def _time(self, instant: datetime, now: datetime) -> str:
        local, today = instant.astimezone(self._zone), now.astimezone(self._zone)
        return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%d %b %H:%M}"

    def _listed(self) -> tuple[Timer, ...]:
        incident = self.room.session.incident
        if incident is None:
            return ()
        return timers(incident, self.room.scheme, self.room.clock.now())

    def _chosen(self) -> Timer | None:
        return next((timer for timer in self._listed() if timer.id == self.at), None)

    def action_take(self) -> None:
        timer = self._chosen()
        if timer is None or timer.met_in is not None:
            self.tell("that cannot be snoozed")
        else:
            self._snooze(timer)

    @work(exclusive=True, group="dialog")
    async def _snooze(self, timer: Timer) -> None:
        options = [
            Option(str(minutes), f"{minutes} minutes", key=str(number))
            for number, minutes in enumerate(promises.SNOOZES, 1)
        ]
        chosen = await choose(self, f"snooze {timer.label} for", options)
        if chosen:
            doing = promises.snooze(self.room.session, timer, int(chosen), self.room.clock.now())
            await self.saved(doing, f"snoozed for {chosen} min: u takes it back")

    @work(exclusive=True, group="dialog")
    async def action_wake(self) -> None:
        timer = self._chosen()
        if timer is None or timer.id not in self._snoozed():
            self.tell("it is not snoozed")
        else:
            await self.saved(promises.wake(self.room.session, timer), "the snooze is taken back")

    def _snoozed(self) -> set[str]:
        incident = self.room.session.incident
        return set(incident.snoozed) if incident else set()

    @work(exclusive=True, group="dialog")
    async def action_keep(self) -> None:
        timer = self._chosen()
        if timer is None or timer.met_in is not None:
            self.tell("there is nothing to keep")
            return
        said: str | None = ""
        if timer.id.startswith(UPDATE):
            label, hint = f"told {timer.who}", "what you told them"
            said = await ask_drafted(self, self.room, timer.id, label, placeholder=hint)
        if said is None:
            return
        try:
            await self.saved(promises.keep(self.room.session, timer, said), "written down")
        except promises.CannotBeKept as error:
            self.tell(str(error))


def state(timer: Timer) -> tuple[str, str]:
    """How a timer stands, in words, and their style."""
    if timer.met_in is not None:
        late = ", late" if timer.late else ""
        return f"met in {span(timer.met_in)}{late}", "degraded" if timer.late else "ok"
    if timer.overdue:
        return f"OVERDUE {counted(timer.left)}", "alarm"
    word = "snoozed" if timer.snoozed_until else "due in"
    return f"{word} {counted(timer.left)}", "bold"
