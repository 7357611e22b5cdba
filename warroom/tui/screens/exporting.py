"""Taking the incident home from the room: `e` asks what and where, `:export PATH` just does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from warroom.tui.screens.acts import Acts
from warroom.tui.screens.dialogs import ask_line, show_sheet

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.engine.export import Choice
    from warroom.engine.learned import Learned
    from warroom.engine.session import Session
    from warroom.engine.shelf import Book
    from warroom.tui.screens.export_dialog import Plan


class Exporting(Acts):
    """A part of the room's screen: the post-mortem and the data as files."""

    settings: Settings

    @work(exclusive=True, group="export")
    async def action_export(self, target: str = "") -> None:
        if not self.incident_or_say() or self.room is None:
            return
        session = self.room.session
        if target:
            await self._export_to(session, _path(target), None)
            return
        plan = await self._export_planned(session)
        if plan is not None:
            missing = await self._export_to(session, plan.path, plan.choice)
            if missing:
                lines = [[("· ", "dim"), (line, "")] for line in missing]
                await show_sheet(self, "written; what is still missing in it", lines)

    async def _export_planned(self, session: Session) -> Plan | None:
        """What the responder wants, the usual post-mortem at first; None: nothing."""
        from warroom.engine.export import USUAL, export_path
        from warroom.engine.templates import listed
        from warroom.tui.screens.export_dialog import PATH, ExportDialog, Plan

        plan, templates = Plan(USUAL, export_path(session)), dict(listed(self._books()))
        while True:
            dialog = ExportDialog(plan, templates, self.settings.incident.postmortem)
            answer = await self.app.push_screen_wait(dialog)
            if answer is None or answer[1] != PATH:
                return answer[0] if answer else None
            plan = answer[0]
            typed = await ask_line(self, "path", str(plan.path))
            if typed and typed.strip():
                plan = Plan(plan.choice, _path(typed))

    async def _export_to(self, session: Session, path: Path, choice: Choice | None) -> list[str]:
        """Write, and say so; what is still missing in the post-mortem."""
        from warroom.engine.export import USUAL, ExportError, write_postmortem
        from warroom.journal.base import JournalError

        self.say(f"writing {path} …")
        try:
            done = await write_postmortem(
                session, path, self.settings, choice or USUAL, self._learned(session), self._books()
            )
        except ExportError as error:
            self.say(str(error), "down")
            return []
        except JournalError as error:
            self.say(f"NOT SAVED that the post-mortem was written: {error}; {path}", "down")
            return []
        more = f" and {len(done.written) - 1} more" if len(done.written) > 1 else ""
        lacks = f"   {len(done.missing)} things still missing in it" if done.missing else ""
        self.say(f"post-mortem: {done.written[0]}{more}{lacks}", "ok")
        return list(done.missing)

    def _books(self) -> tuple[Book, ...]:
        return self.room.shelf.books if self.room else ()

    def _learned(self, session: Session) -> Learned:
        """What the incident found out about the runbooks, with what containers are called now."""
        from warroom.engine.learned import learned

        assert self.room is not None
        return learned(session, self.room.shelf, tuple(self.room.monitor.latest.values()))


def _path(typed: str) -> Path:
    """As a shell has it: `~` is the home folder."""
    return Path(typed.strip()).expanduser()
