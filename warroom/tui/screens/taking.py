"""What a pane shows is taken: to the clipboard, or into the timeline as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import work

from warroom.domain.events import Kind
from warroom.domain.evidence import Evidence, EvidenceKind
from warroom.domain.text import shorten
from warroom.tui.panes.logs import LogsPane
from warroom.tui.screens.acts import Acts
from warroom.tui.screens.dialogs import Option, choose
from warroom.tui.screens.drafted import ask_drafted

if TYPE_CHECKING:
    from warroom.tui.panes.base import Pane

ENTRIES: Final = 50
"""Newest entries of the timeline that evidence can be added to from here."""


class Taking(Acts):
    """A part of the room's screen: `y` and `p`."""

    @work(exclusive=True, group="dialog")
    async def action_take(self) -> None:
        """Without an incident there is nowhere to pin to: then it copies at once."""
        pane = self.pane
        if pane is None or self.room is None:
            return
        if self.room.session.incident is None:
            self.copy_selected(pane)
            return
        wanted = await choose(
            self, f"take from {pane.heading}", self._offers(pane), at="pane",
            hint="enter pins, with what it is from   esc cancel",
        )  # fmt: skip
        if wanted == "copy":
            self.copy_selected(pane)
        elif wanted is not None:
            target, _, what = wanted.rpartition("-")
            await self._keep(_evidence(pane, what), into_entry=target == "add")

    @work(exclusive=True, group="dialog")
    async def action_pin(self) -> None:
        if not self.incident_or_say() or self.pane is None:
            return
        evidence = _evidence(self.pane, "selected")
        if evidence is None:
            self.say("nothing is selected", "degraded")
        else:
            await self._pin(evidence, _in_words(evidence))

    @work(exclusive=True, group="dialog")
    async def take_sheet(self, evidence: Evidence) -> None:
        """What a sheet shows: copied, or pinned to a new entry or to one that is there."""
        from warroom.tui.clipboard import copy

        if self.room is None or self.room.session.incident is None:
            self.say(copy(self.app, evidence.text), "ok")
            return
        offers = [
            Option("copy", "copy it to the clipboard", key="y"),
            Option("pin", "pin it", key="p"),
            Option("add", "add it to an entry…", key="e"),
        ]
        wanted = await choose(
            self, f"take from {evidence.title}", offers, at="pin",
            hint="enter pins, with what it is from   esc cancel",
        )  # fmt: skip
        if wanted == "copy":
            self.say(copy(self.app, evidence.text), "ok")
        elif wanted is not None:
            await self._keep(evidence, into_entry=wanted == "add")

    def copy_selected(self, pane: Pane) -> None:
        """The rows or the line that are selected, to the clipboard."""
        from warroom.tui.clipboard import copy

        _, text = pane.picked()
        if text:
            self.say(copy(self.app, text), "ok")
        else:
            self.say("nothing is selected", "degraded")

    def _offers(self, pane: Pane) -> list[Option]:
        _, text = pane.picked()
        why_not = "" if text else "nothing is selected"
        first = shorten(text.partition("\n")[0], 40)
        offers = [
            Option("copy", "copy the selected to the clipboard", first, "y", why_not=why_not),
            Option("pane", "pin the pane as it looks", key="w"),
            Option("selected", "pin the selected", first, "p", why_not=why_not),
        ]
        if isinstance(pane, LogsPane):
            offers.append(Option("shown", "pin the lines on the screen", key="l"))
            filtered = "" if pane.filter_text else "no filter is set"
            newest = "the newest 1,000"
            offers.append(Option("matching", "pin what matches", newest, "m", why_not=filtered))
        offers.append(
            Option("add-selected", "add the selected to an entry…", "", "e", why_not=why_not)
        )
        offers.append(Option("add-pane", "add the pane to an entry…", "", "a"))
        return offers

    async def _keep(self, evidence: Evidence | None, *, into_entry: bool) -> None:
        if evidence is None:
            self.say("there is nothing to take", "degraded")
        elif into_entry:
            await self._add(evidence)
        else:
            words = _in_words(evidence)
            hint = "what it shows; enter alone takes what stands here: "
            assert self.room is not None
            text = await ask_drafted(
                self, self.room, f"evidence/{evidence.title}", "evidence",
                placeholder=hint + shorten(words, 60),
            )  # fmt: skip
            if text is not None:
                await self._pin(evidence, text.strip() or words)

    async def _pin(self, evidence: Evidence, text: str) -> None:
        assert self.room is not None
        doing = self.room.editor.add(text, kind=Kind.EVIDENCE, evidence=[evidence])
        await self.saved(doing, "pinned to the timeline; u in the timeline takes it back")

    async def _add(self, evidence: Evidence) -> None:
        assert self.room is not None
        entries = self.room.timeline().entries[: -ENTRIES - 1 : -1]
        options = [
            Option(str(entry.seq), shorten(entry.text.partition("\n")[0], 60), f"{entry.at:%H:%M}Z")
            for entry in entries
        ]
        chosen = await choose(self, "add to which entry", options)
        if chosen is not None:
            await self.saved(self.room.editor.attach(int(chosen), evidence), "added to the entry")


def _evidence(pane: Pane, what: str) -> Evidence | None:
    from warroom.tui import evidence

    if what == "pane":
        return evidence.of_pane(pane)
    if what == "selected" or not isinstance(pane, LogsPane):
        return evidence.of_selection(pane)
    lines = evidence.lines_shown(pane) if what == "shown" else evidence.lines_matching(pane)
    return evidence.of_lines(pane, lines)


def _in_words(evidence: Evidence) -> str:
    """The entry's text when nobody writes one: where it is from, and its first line."""
    lines = evidence.text.split("\n")
    if evidence.kind is EvidenceKind.PANE:
        return f"{evidence.title} as it looked"
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    first = lines[0].partition("Z ")[2] if evidence.kind is EvidenceKind.LINES else lines[0]
    return f"{evidence.title}: {shorten(first.removeprefix(evidence.title + ': '), 300)}{more}"
