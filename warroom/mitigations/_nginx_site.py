"""What the nginx kinds have in common: one server, one file, one way to change it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from warroom.domain.clock import span
from warroom.mitigations._nginx_change import Change, Edit, Wrong
from warroom.mitigations._nginx_file import Looked
from warroom.mitigations._nginx_observed import NoAnswer, status
from warroom.mitigations._nginx_options import ReloadOptions
from warroom.mitigations._nginx_rules import Signed, word
from warroom.mitigations._nginx_server import Server
from warroom.mitigations.base import MitigationContext, MitigationRefused

DENIED: Final = 403
_PATIENCE_S: Final = 2.0
"""Seconds within which a blocked client must get its 403."""
_PAUSE_S: Final = 0.1
Observe = Callable[[], Awaitable[str]]


class Site:
    """An nginx and what it answers, as the options of a kind say."""

    def __init__(self, options: ReloadOptions, context: MitigationContext) -> None:
        self.options, self.context = options, context
        self.host = context.host
        self.server = Server(context.host, options.nginx)

    def signed(self, ttl: float) -> Signed:
        """Who acts, from now on for `ttl` seconds; 0 is until it is lifted."""
        who = self.context.sign()
        until = (self.context.clock.now() + timedelta(seconds=ttl)) if ttl else None
        until = until.replace(microsecond=0) if until else None
        return Signed(until, word(who.author), word(who.incident))

    def left(self, signed: Signed) -> float | None:
        """Seconds until it is to be lifted; None is never. Raises MitigationRefused when it is
        past already."""
        if signed.until is None:
            return None
        seconds = (signed.until - self.context.clock.now()).total_seconds()
        if seconds <= 0:
            raise MitigationRefused("its time was over before it was confirmed; look again")
        return seconds

    async def change(
        self, path: str, edit: Edit | None, client: str = "", *, denied: bool = False
    ) -> Change:
        """Make the change (see `Change.make`). With `client`, the request for `verify_url` names
        it, and must be answered 403 if `denied`. What was seen stands in the change's `seen`."""
        observe = await self._observer(client, denied=denied)
        context = self.context
        change = Change(self.server, self.host, path, edit, context.output, observe, context.fence)
        await change.make()
        return change

    async def _observer(self, client: str, *, denied: bool) -> Observe:
        url, header = self.options.verify_url, self.options.verify_header

        async def nothing() -> str:
            return ""

        if not url:
            return nothing
        headers = {header: client} if header and client else {}
        before = await self._status(headers)

        async def observe() -> str:
            loop = asyncio.get_running_loop()
            after, deadline = await self._status(headers), loop.time() + _PATIENCE_S
            while headers and denied and after != DENIED and loop.time() < deadline:
                await asyncio.sleep(_PAUSE_S)
                after = await self._status(headers)
            if headers and denied and after != DENIED:
                raise Wrong(f"{url} answers {after or 'nothing'} to {client}, and not {DENIED}")
            if _serves(before) and not _serves(after):
                raise Wrong(f"{url} answered {before} before and {after or 'nothing'} now")
            who = f" to {client}" if headers else ""
            return f"{url} answers {after}{who}" if after else ""

        return observe

    async def _status(self, headers: dict[str, str]) -> int:
        """0 is no answer; why is said where the running action is watched."""
        try:
            return await status(self.host, self.options.verify_url, headers)
        except NoAnswer as error:
            self.context.output.say(str(error))
            return 0


def _serves(answer: int) -> bool:
    return 0 < answer < 500


def duration(ttl: float) -> str:
    """How long something stands, in words."""
    return f"for {span(ttl)}" if ttl else "until it is lifted"


def said(change: Change) -> str:
    """What was observed, as the end of a sentence."""
    return f"; {change.seen or 'new workers have it'}"


def overdue(looked: Looked, now: datetime) -> tuple[tuple[str, str], ...]:
    """A hit for rules whose time is over and that still stand, when there are some."""
    from warroom.mitigations._addresses import shown

    found = [shown(deny.range) for deny in looked.rules.overdue(now)]
    return (("past their time", f"{', '.join(found[:5])}: still blocked"),) if found else ()
