"""What the room's keys do to the record: notes, the timeline, the post-mortem; and help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import work

from warroom.tui.screens.dialogs import ask_line, show_sheet
from warroom.tui.screens.drafted import ask_drafted
from warroom.tui.screens.duties import Duties
from warroom.tui.screens.exporting import Exporting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warroom.config.settings import Settings
    from warroom.tui.commands import Command
    from warroom.tui.widgets.lines import Line

NOTE_HINT: Final = "what you see, think or decide; enter writes it down"


class Record(Exporting, Duties):
    """A part of the room's screen: what is written down, copied, filtered and shown at length."""

    settings: Settings
    commands: Sequence[Command]

    @work(exclusive=True, group="dialog")
    async def action_note(self, text: str = "") -> None:
        if not self.incident_or_say() or self.room is None:
            return
        written = text or await ask_drafted(
            self, self.room, "note", "note", placeholder=NOTE_HINT, lines=True
        )
        if written and written.strip():
            await self.saved(self.room.session.note(written.strip()), "noted")

    @work(exclusive=True, group="dialog")
    async def action_filter(self) -> None:
        pane = self.pane
        if pane is None:
            return
        before = pane.filter_text
        text = await ask_line(self, "/", before, placeholder="only what contains", live=pane.filter)
        pane.filter(before if text is None else text)

    @work(exclusive=True, group="dialog")
    async def action_detail(self) -> None:
        from warroom.tui.evidence import about_detail, of_sheet
        from warroom.tui.screens.detail import NOT_YET, detail_lines, still_waits, waiting

        pane = self.pane
        if pane is None or self.room is None:
            return
        found = pane.detail()
        if found is None:
            self.say("nothing is selected", "degraded")
            return
        title, source, key, lines = found
        about = about_detail(pane, title, source, key)

        def take(shown: Sequence[Line]) -> None:
            if still_waits(shown):
                self.say(NOT_YET, "degraded")
            else:
                self.take_sheet(of_sheet(about, shown))

        show = await show_sheet(self, title, lines or waiting(), take)
        if not lines:
            show(await detail_lines(self.room, source, key))

    @work(exclusive=True, group="dialog")
    async def action_timeline(self) -> None:
        if not self.incident_or_say() or self.room is None:
            return
        from warroom.tui.screens.timeline import TimelineScreen

        await self.app.push_screen(TimelineScreen(self.room, self.settings.incident.timezone))

    async def action_help(self) -> None:
        from warroom.tui.screens.help import help_lines

        plain = bool(getattr(self.app, "ascii_only", False))
        lines = help_lines(self.commands, self.actions_here(), ascii_only=plain)
        await show_sheet(self, "keys and commands", lines)

    def action_theme(self) -> None:
        from warroom.tui import themes

        names = themes.names()
        now = self.app.theme.removeprefix("warroom-")
        chosen = names[(names.index(now) + 1) % len(names)] if now in names else names[0]
        self.use_theme(chosen)

    def use_theme(self, name: str) -> None:
        """Change to another theme, and say which."""
        from warroom.tui import themes

        try:
            theme = themes.load(name)
        except themes.ThemeError as error:
            self.say(str(error), "down")
            return
        self.app.register_theme(theme)
        self.app.theme = theme.name
        self.say(f"theme: {name}")

    def action_share(self) -> None:
        self.app.sharing = not self.app.sharing  # type: ignore[attr-defined]
        self.redraw()
        on = self.app.sharing  # type: ignore[attr-defined]
        self.say(
            "screen sharing: addresses and secrets are masked" if on else "screen sharing: off",
            "ok",
        )

    @work(exclusive=True, group="dialog")
    async def action_command(self) -> None:
        from warroom.tui.screens.commandline import ask, obey

        line = await ask(self)
        if line:
            obey(self, line)

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_leave(self) -> None:
        self.app.exit()

    def use_layout(self, name: str) -> None:
        """Change to another layout."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Everything is drawn anew."""
        raise NotImplementedError
