"""What the room's keys do with the top talkers: group, window, into a row and out again, its lines
in the logs, and who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import work

from warroom.hosts.base import HostError
from warroom.tui.screens.dialogs import Option, ask_line, choose, show_sheet
from warroom.tui.screens.following import Following

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from warroom.tui.panes.base import Pane
    from warroom.tui.panes.talkers import TalkersPane
    from warroom.tui.widgets.lines import Line

_HINT: Final = "an address or a range"


class Counting(Following):
    """A part of the room's screen."""

    panes: list[Pane]

    def action_pane(self, number: int) -> None:
        """Go to the pane of that number."""
        raise NotImplementedError

    def _talkers(self) -> TalkersPane | None:
        from warroom.tui.panes.talkers import TalkersPane

        return self.pane if isinstance(self.pane, TalkersPane) else None

    def talkers_or_say(self, what: str) -> TalkersPane | None:
        """The pane, when keys go to it; says what the key is for when they do not."""
        pane = self._talkers()
        if pane is None:
            self.say(what, "degraded")
        return pane

    def rows_said(self, word: str, rest: str) -> bool:
        """Do what `:WORD REST` says, if it is one of these words."""
        match word:
            case "group":
                self.group_said(rest)
            case "whois":
                self.action_whois(rest)
            case _:
                return super().rows_said(word, rest)
        return True

    # What is looked at --------------------------------------------------------------------------

    def action_group(self) -> None:
        if pane := self.talkers_or_say("b groups the top talkers"):
            pane.group_next()

    def group_said(self, word: str) -> None:
        """`:group agent`."""
        if (pane := self.talkers_or_say("that is for the top talkers")) and (
            wrong := pane.group(word)
        ):
            self.say(wrong, "degraded")

    def action_window(self) -> None:
        if pane := self.talkers_or_say("B changes the window of the top talkers"):
            pane.window_next()

    def action_unfold(self) -> None:
        pane = self._talkers()
        if pane is None:
            super().action_unfold()
        elif pane.selected is None:
            self.say("nothing is selected", "degraded")
        elif not pane.only():
            self.say("that is all there is to group by: . shows its lines")

    def action_fold(self) -> None:
        pane = self._talkers()
        if pane is None:
            super().action_fold()
        elif not pane.back():
            self.say("these are all requests")

    # Its lines ----------------------------------------------------------------------------------

    def action_lines(self) -> None:
        """Go to the logs, filtered to the selected row's requests, the newest of them."""
        pane = self.talkers_or_say("that is for the top talkers")
        if pane is None:
            return
        query = pane.requests()
        logs = next((other for other in self.panes if other.key == "logs"), None)
        if not query:
            self.say("nothing is selected", "degraded")
        elif logs is not None:
            self.action_pane(logs.number)
            logs.filter(query)
            logs.ends(last=True)  # where it stood still before, these lines may not have come yet
            self.say("esc takes the filter away")

    # Who is it ----------------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_whois(self, text: str = "") -> None:
        """Says who would be asked before anybody is."""
        from warroom.hosts import whois

        pane = self._talkers()
        item = pane.selected if pane is not None else None
        if not text and item is not None and item.row.data.get("by") in _ADDRESSES:
            text = item.row.key
        text = text or await ask_line(self, "who is", placeholder=_HINT) or ""
        if not text:
            return
        try:
            address = whois.asked_for(text)
        except HostError as error:
            self.say(str(error), "degraded")
            return
        wanted = await choose(
            self, f"ask others about {address}?",
            [
                Option("dns", "its name", "asks this machine's DNS servers", "n"),
                Option("whois", "its owner", f"tells {whois.IANA} and a registry the address", "o"),
                Option("both", "both", "", "b"),
            ],
            hint="enter asks, from this machine   esc asks nobody",
        )  # fmt: skip
        if wanted:
            await self._ask(address, wanted)

    async def _ask(self, address: str, wanted: str) -> None:
        from warroom.hosts import whois
        from warroom.tui.evidence import of_answer
        from warroom.tui.screens.detail import NOT_YET, still_waits, waiting

        lines: list[Line] = []

        def take(shown: Sequence[Line]) -> None:
            if still_waits(shown):
                self.say(NOT_YET, "degraded")
            else:
                self.take_sheet(of_answer(f"who is {address}", wanted, shown))

        show = await show_sheet(self, f"who is {address}", waiting(), take)
        if wanted != "whois":
            lines += await _told("name", whois.name_of(address))
            show([*lines, *(waiting() if wanted == "both" else [])])
        if wanted != "dns":
            try:
                server, pairs = await whois.owner_of(address)
            except HostError as error:
                lines.append([("owner      ", "dim"), (str(error), "degraded")])
            else:
                lines.append([("asked      ", "dim"), (server, "")])
                lines += [[(f"{key:<10} ", "dim"), (value, "")] for key, value in pairs]
                lines += [] if pairs else [[("it says nothing of it", "dim")]]
            show(lines)


_ADDRESSES: Final = ("ip", "range", "wide", "narrow")


async def _told(name: str, asking: Awaitable[str]) -> list[Line]:
    try:
        return [[(f"{name:<10} ", "dim"), (await asking, "")]]
    except HostError as error:
        return [[(f"{name:<10} ", "dim"), (str(error), "degraded")]]
