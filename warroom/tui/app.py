"""The console: paints first, then opens the room; gives the terminal back whatever happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from warroom.config.problems import ConfigError
from warroom.config.settings import Settings
from warroom.domain.sample import Sample
from warroom.hosts.turns import was_drawn
from warroom.tui import terminal, themes
from warroom.tui.commands import conflicts
from warroom.tui.gate import Gate
from warroom.tui.geometry import readable
from warroom.tui.messages import IncidentChanged, RoomFailed, Sampled
from warroom.tui.screens.room import RoomScreen
from warroom.tui.typeahead import TypeAhead

if TYPE_CHECKING:
    from textual.command import Provider

    from warroom.engine.room import Room

LOST_TTY_CHECK_S: Final = 1.0


def _palette() -> type[Provider]:
    from warroom.tui.palette import Palette

    return Palette


class WarroomApp(App[None]):
    """`opener` builds and opens the room after the first paint."""

    TITLE = "warroom"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_palette}
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "suspend", show=False)  # what job control is used to
    ]
    CSS: ClassVar[str] = """
    CommandPalette { background: $background 60%; }
    """

    def __init__(
        self,
        settings: Settings,
        opener: Callable[[], Awaitable[Room]],
        *,
        theme: str = "",
        sharing: bool = False,
        ascii_only: bool = False,
        missing: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._gate = Gate()
        self._gate.sharing = sharing or settings.console.share
        self.ascii_only = self._gate.ascii_only = ascii_only or settings.console.ascii
        self._theme = themes.load(theme or settings.console.theme)
        _refuse_conflicts(settings)
        super().__init__(driver_class=terminal.TerminalDriver)
        self.ending = terminal.Ending()
        self._type_ahead = TypeAhead(self, super().on_event)
        self.settings, self._opener = settings, opener
        self.room: Room | None = None
        self._unclosed: Room | None = None
        self.parting = ""
        self.room_screen = RoomScreen(settings, missing)
        self.register_theme(self._theme)
        self.theme = self._theme.name

    @property
    def sharing(self) -> bool:
        """Whether addresses and secrets are masked."""
        return self._gate.sharing

    @sharing.setter
    def sharing(self, on: bool) -> None:
        self._gate.sharing = on

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(self._theme.variables)

    def get_line_filters(self) -> list[LineFilter]:
        return [self._gate, *super().get_line_filters()]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No palette over a screen that is too small to read."""
        return action != "command_palette" or readable(*self.size)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        from warroom.tui.palette import commands_of

        return commands_of(self.room_screen)

    def get_default_screen(self) -> Screen[None]:
        return self.room_screen

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self._type_ahead.take(event)
        else:
            await super().on_event(event)

    def post_display_hook(self) -> None:
        was_drawn()

    def on_mount(self) -> None:
        self.set_keymap(dict(self.settings.console.keys))
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.set_interval(LOST_TTY_CHECK_S, self._check_tty)
        self.call_after_refresh(self._start_opening)

    def _start_opening(self) -> None:
        self.run_worker(self._open_room(), name="open", exit_on_error=True)

    async def _open_room(self) -> None:
        from warroom.hosts.base import HostError
        from warroom.journal.base import JournalError

        try:
            room = self._unclosed = await self._opener()
            room.subscribe(self._on_sample)
            room.session.subscribe(self._on_incident)
            await room.open()
        except ConfigError as error:
            self.parting = str(error)
            self.exit(return_code=2)
            return
        except JournalError as error:
            self.room_screen.post_message(RoomFailed(str(error), error.damaged))
            return
        except HostError as error:
            self.room_screen.post_message(RoomFailed(str(error)))
            return
        self.room = room
        self.room_screen.open_with(room)

    async def close_unopened(self) -> None:
        """Let go of a room that could not be opened."""
        if self._unclosed is not None and self.room is None:
            await self._unclosed.close()
            self._unclosed = None

    def open_again(self) -> None:
        """What was in the way is gone."""
        self._start_opening()

    def _on_sample(self, sample: Sample) -> None:
        self.room_screen.post_message(Sampled(sample.source))

    def _on_incident(self) -> None:
        self.room_screen.post_message(IncidentChanged())

    async def on_unmount(self) -> None:
        if self._unclosed is not None:
            await self._unclosed.close()
            self.parting = self._unclosed.session.backlog.parting() or self.parting

    # The terminal is given back ---------------------------------------------------------------

    def on_load(self) -> None:
        """The terminal is about to be taken: from now on a signal ends the console in order."""
        self.ending.loop = asyncio.get_running_loop()

    def end(self, status: int) -> None:
        """Leave, with this exit status; the incident goes on."""
        self.exit(return_code=status)

    def lost(self) -> None:
        """The terminal is gone (a dropped SSH session)."""
        self.ending.by_force_later(terminal.LOST)
        self.end(terminal.LOST)

    def _check_tty(self) -> None:
        if not self.is_headless and not terminal.is_there():
            self.lost()

    def _fatal_error(self) -> None:
        """A defect ends the console with its place, but never with the values of variables."""
        from rich.text import Text

        error = sys.exc_info()[1] or self._exception
        self._exit_renderables.append(Text(terminal.last_words(error)))
        self._close_messages_no_wait()


def _refuse_conflicts(settings: Settings) -> None:
    """Raises ConfigError for keys that two things want, or that nothing may have."""
    actions = {entry.title or entry.kind: entry.key for entry in settings.mitigations if entry.key}
    wrong = conflicts(settings.console.keys, actions)
    if wrong:
        raise ConfigError("\n".join(f"{settings.file}: keys: {line}" for line in wrong))
