"""Looks whether something happened of which nobody knows, from its entries in the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from warroom.domain.events import Kind
from warroom.journal.base import JournalError
from warroom.mitigations.base import MitigationRefused
from warroom.tui.screens.timeline.filtering import Filtering

if TYPE_CHECKING:
    from warroom.domain.requests import Request
    from warroom.domain.timeline import Entry


class Verifying(Filtering):
    """A part of the timeline's screen. It only reads the system, and writes down what it says."""

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        request = self._request(self.selected)
        if request is None or request.state != "UNKNOWN":
            self.say(
                "only what nobody knows of is verified: an outcome that is UNKNOWN", "degraded"
            )
            return
        self.say("looking…")
        try:
            says = await self.room.ledger.verify(request)
        except MitigationRefused as error:
            self.say(str(error), "degraded")
        except JournalError as error:
            self.say(f"NOT SAVED what was seen: {error}", "alarm")
        else:
            self.say(f"verified: {says}", "ok")

    def _request(self, entry: Entry | None) -> Request | None:
        """The request that an entry is, or is about."""
        if entry is None:
            return None
        about = entry.seq if entry.kind is Kind.REQUESTED else entry.data.get("request")
        requests = self.room.executor.book.requests
        return requests.get(about) if isinstance(about, int) else None
