"""The room: every pane, the incident beside them, the timeline below, and what each key does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.layout import Layout

from warroom.config.settings import Settings
from warroom.hosts.turns import to_be_drawn, turn
from warroom.tui import geometry
from warroom.tui.commands import COMMANDS, remapped
from warroom.tui.geometry import PRESETS, Plan
from warroom.tui.layout import RoomLayout
from warroom.tui.messages import IncidentChanged, RoomFailed, Sampled
from warroom.tui.panes import panes_for
from warroom.tui.panes.base import Pane, TablePane
from warroom.tui.screens.history import History
from warroom.tui.screens.marked import Marked
from warroom.tui.screens.playbooks import Playbooks
from warroom.tui.screens.record import Record
from warroom.tui.screens.salvaging import Salvaging
from warroom.tui.screens.standing import Standing
from warroom.tui.screens.taking import Taking
from warroom.tui.screens.telling import Telling
from warroom.tui.widgets.header import HeaderStrip
from warroom.tui.widgets.sidebar import Sidebar
from warroom.tui.widgets.strips import KeyBar, Tabs, TimelineStrip

if TYPE_CHECKING:
    from textual.timer import Timer

    from warroom.engine.room import Room

PAINTS_A_SECOND: Final = 8
MESSAGE_S: Final = 6.0
"""How long a passing message stands."""


def bindings() -> list[BindingType]:
    """Textual's bindings of every declared command."""
    made: list[BindingType] = []
    for command in COMMANDS:
        if command.id == "pane":
            made += [Binding(str(n), f"pane({n})", show=False) for n in range(1, 10)]
        else:
            made.append(
                Binding(command.keys, command.action, command.help, show=False, id=command.id)
            )
    return made


class RoomScreen(Salvaging, Playbooks, Marked, Standing, Telling, Taking, History, Record):
    """Data arrives by message and marks panes; a few times a second the marked ones are drawn."""

    DEFAULT_CSS = "RoomScreen { background: $background; overflow: hidden hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = bindings()

    def __init__(self, settings: Settings, missing: Mapping[str, str]) -> None:
        super().__init__()
        self._layout = RoomLayout(self.plan)
        self.settings = settings
        self.room: Room | None = None
        self.panes = panes_for(settings, missing)
        self.active = self.panes[0].key if self.panes else ""
        self.preset: geometry.Preset = settings.console.layout
        self.zoomed = False
        self.header = HeaderStrip(settings.incident.timezone)
        self.sidebar = Sidebar()
        self.strip = TimelineStrip(settings.incident.timezone)
        self.tabs, self.keys = Tabs(), KeyBar()
        self.commands = self.keys.commands = remapped(settings.console.keys)
        self._dirty: set[Pane] = set()
        self._forgetting: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.tabs
        yield self.sidebar
        yield from self.panes
        yield self.strip
        yield self.keys

    def on_mount(self) -> None:
        self.tabs.panes, self.tabs.active = self.panes, self.active
        self.set_interval(1 / PAINTS_A_SECOND, self._paint)
        self.set_interval(1.0, self._second)
        if self.panes:
            self.panes[0].focus()

    @property
    def layout(self) -> Layout:
        """Places the widgets by `plan`."""
        return self._layout

    def plan(self, size: Size) -> Plan:
        """Where everything stands now; remembers whether that is at all usable."""
        made = geometry.plan(
            size.width - self.docked,
            size.height,
            [p.key for p in self.panes],
            self.preset,
            self.active,
            zoom=self.zoomed,
        )
        self.header.too_small = made.too_small
        return made

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On a screen too small to read there is nothing to do but leave."""
        return action == "leave" or geometry.readable(*self.app.size)

    def arrange_anew(self) -> None:
        """Another pane, preset or zoom: place everything again."""
        self.tabs.active = self.active
        self.tabs.changed()
        self.keys.refresh(layout=True)  # of a child: only that makes the screen arrange anew

    def open_with(self, room: Room) -> None:
        """The systems are being watched from now on."""
        self.room = room
        self.header.room = self.sidebar.room = self.strip.room = room
        for pane in self.panes:
            pane.room = room
        for pane in self.panes:
            pane.opened()
        self.redraw()

    def offer_actions(self) -> None:
        """The key bar says what can be done in the active pane, then elsewhere."""
        extra = [(a.key, a.title, a.key) for a in self.actions_here() if a.key][:3]
        offers = self.pane.offers if self.pane else ()
        extra += [(c.key_text, c.title, c.key) for c in self.keys.commands if c.id in offers]
        if extra != self.keys.extra:
            self.keys.extra = extra
            self.keys.changed()

    def redraw(self) -> None:
        """Everything is drawn anew."""
        for widget in (self.header, self.sidebar, self.strip, self.tabs, self.keys, *self.panes):
            widget.anew()

    def say(self, text: str, style: str = "") -> None:
        """A passing message in the key bar."""
        if text:
            self.keys.say(text, style)
        else:
            self.keys.clear()
        if self._forgetting is not None:
            self._forgetting.stop()  # the message before is gone: this one has its own time
        self._forgetting = self.set_timer(MESSAGE_S, self.keys.clear, name="message")

    @property
    def pane(self) -> Pane | None:
        """The pane that keys go to."""
        return next((pane for pane in self.panes if pane.key == self.active), None)

    @property
    def table(self) -> TablePane | None:
        """The active pane, when it has rows."""
        pane = self.pane
        return pane if isinstance(pane, TablePane) else None

    @on(Sampled)
    def _sampled(self, message: Sampled) -> None:
        self._dirty.update(pane for pane in self.panes if message.source in pane.sources)

    @on(IncidentChanged)
    def _incident_changed(self) -> None:
        for widget in (self.header, self.sidebar, self.strip):
            widget.changed()

    @on(RoomFailed)
    def _room_failed(self, message: RoomFailed) -> None:
        self.header.failed = message.reason
        self.header.changed()
        self.room_failed(message.reason, message.damaged)

    @on(Pane.Opened)
    def _opened(self) -> None:
        self.action_detail()

    @on(Tabs.Chosen)
    def _chosen(self, message: Tabs.Chosen) -> None:
        self.action_pane(message.number)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and event.widget.key != self.active:
            self.active = event.widget.key
            self.offer_actions()
            if self.zoomed or self.plan(self.size).tabs:
                self.arrange_anew()

    async def _paint(self) -> None:
        await turn()
        dirty = [pane for pane in self.panes if pane in self._dirty or pane.restless()]
        self._dirty.clear()
        for pane in dirty:
            if pane.region.area:
                pane.changed()
        if dirty and self.tabs.region.area:
            self.tabs.changed()
        self._announce()

    async def _second(self) -> None:
        await turn()
        self.offer_actions()
        self.header.changed()
        if self.sidebar.region.area:
            self.sidebar.changed()
        for pane in self.panes:
            if pane.region.area:
                pane.tick()
        self._announce()

    def _announce(self) -> None:
        """Tell whoever measures a key's way which painting is not its own."""
        parts = (self.header, self.sidebar, self.tabs, self.keys, *self.panes)
        if self.is_seen and any(part.is_to_be_drawn for part in parts):
            to_be_drawn()

    # Panes ----------------------------------------------------------------------------------

    def action_pane(self, number: int) -> None:
        for pane in self.panes:
            if pane.number == number:
                self.active = pane.key
                self.arrange_anew()
                pane.focus()

    def _step_pane(self, by: int) -> None:
        if self.panes:
            index = next(i for i, pane in enumerate(self.panes) if pane.key == self.active)
            self.action_pane(self.panes[(index + by) % len(self.panes)].number)

    def action_next_pane(self) -> None:
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        self._step_pane(-1)

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.arrange_anew()

    def action_layout(self) -> None:
        self.use_layout(PRESETS[(PRESETS.index(self.preset) + 1) % len(PRESETS)])

    def use_layout(self, name: str) -> None:
        """Change to the preset of that name, or say which there are."""
        preset = next((p for p in PRESETS if p == name), None)
        if preset is None:
            self.say(f'no layout is called "{name}"; there are: {", ".join(PRESETS)}', "degraded")
            return
        self.preset, self.zoomed = preset, False
        self.say(f"layout: {preset}")
        self.arrange_anew()

    def action_back(self) -> None:
        pane = self.pane
        if pane is not None and pane.unfilter():
            pane.changed()
        elif self.zoomed:
            self.action_zoom()
        else:
            self.keys.clear()

    def action_redraw(self) -> None:
        self.redraw()
        if self.room is not None:
            self.run_worker(self.room.monitor.step(), group="look", exclusive=True)

    # Rows -----------------------------------------------------------------------------------

    def action_down(self) -> None:
        if self.pane:
            self.pane.move(1)

    def action_up(self) -> None:
        if self.pane:
            self.pane.move(-1)

    def action_page_down(self) -> None:
        if self.pane:
            self.pane.page(1)

    def action_page_up(self) -> None:
        if self.pane:
            self.pane.page(-1)

    def action_first(self) -> None:
        if self.pane:
            self.pane.ends(last=False)

    def action_last(self) -> None:
        if self.pane:
            self.pane.ends(last=True)

    def action_mark(self) -> None:
        if self.pane:
            self.pane.mark()

    def action_sort(self) -> None:
        if self.table:
            self.table.sort_next()

    def action_reverse(self) -> None:
        if self.table:
            self.table.sort_reverse()
