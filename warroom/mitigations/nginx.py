"""Blocks clients, limits them and reloads nginx: tested before, proved after, or taken back.

warroom writes one file, which the team's config includes, and no other. `deny` and `limit_req`
are directives of nginx's access and limit_req modules; what they hold for is told on the card.
"""

from __future__ import annotations

from typing import Final

from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.hosts.base import HostError
from warroom.mitigations._nginx_block import Block, Unblock
from warroom.mitigations._nginx_file import others, pending, running
from warroom.mitigations._nginx_limit import LimitRate, Unlimit
from warroom.mitigations._nginx_options import (
    BlockOptions,
    LimitOptions,
    ReloadOptions,
    UnblockOptions,
    UnlimitOptions,
)
from warroom.mitigations._nginx_server import Life
from warroom.mitigations._nginx_site import Site, said
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationRefused,
    MitigationSpec,
    Risk,
    Target,
)

_TIMEOUT_S: Final = 120.0
"""Seconds: two tests of the config, a reload that may fail slowly, and the same on the way back."""


class Reload:
    """Loads what is on disk, when it passes its test."""

    def __init__(self, options: ReloadOptions, context: MitigationContext) -> None:
        self._site, self._context = Site(options, context), context

    async def preview(self, row: Row | None) -> Card:
        """Which process, and what it would load. Raises MitigationRefused."""
        server = self._site.server
        dump, life = await running(server)
        changed = await others(server, dump, life)
        return Card(
            kind="nginx.reload",
            title="Reload nginx",
            host=self._context.host.name,
            target=Target(f"nginx {life.master}", "nginx", {"master": str(life.master)}),
            command=server.commands,
            hits=(
                ("process", f"master {life.master}, {_workers(life)}"),
                ("files", f"{len(dump.files)}, the main one {harmless(dump.main)}"),
                ("connections", "none is cut: old workers finish what is under way"),
            ),
            undo="nothing takes it back: what was loaded before is not kept",
            risk=Risk.CHANGE,
            warnings=pending(changed),
        )

    async def perform(self, card: Card) -> Done:
        """Test, signal, and see new workers."""
        _, life = await running(self._site.server)
        then, now = card.target.identity["master"], str(life.master)
        if then != now:
            raise MitigationRefused(
                f"nothing was done: nginx was process {then} when it was shown and is {now} now"
            )
        change = await self._site.change("", None)
        return Done(f"nginx was reloaded{said(change)}", {"master": life.master})

    async def verify(self, card: Card) -> str:
        """Since when the workers run that serve now."""
        try:
            dump, life = await running(self._site.server)
            changed = await others(self._site.server, dump, life)
        except HostError as error:
            raise MitigationRefused(str(error)) from error
        words = pending(changed)
        return (
            f"{_workers(life)}; {words[0] if words else 'nothing on disk is newer than they are'}"
        )

    async def close(self) -> None:
        """Nothing is held open."""


def _workers(life: Life) -> str:
    if life.workers is None:
        return "its workers cannot be seen from here"
    return f"{len(life.workers)} worker{'' if len(life.workers) == 1 else 's'}"


def _block(options: BlockOptions, context: MitigationContext) -> Mitigation:
    return Block(options, context)


def _unblock(options: UnblockOptions, context: MitigationContext) -> Mitigation:
    return Unblock(options, context)


def _limit(options: LimitOptions, context: MitigationContext) -> Mitigation:
    return LimitRate(options, context)


def _unlimit(options: UnlimitOptions, context: MitigationContext) -> Mitigation:
    return Unlimit(options, context)


def _reload(options: ReloadOptions, context: MitigationContext) -> Mitigation:
    return Reload(options, context)


_TALKERS: Final = "talkers"
_MOVES: Final = (("error_percent_now", "down"), ("let_in_per_s", "down"))
"""Metrics of top talkers that should move. Who is denied still asks, and counts as a request, but
is not let in."""

SPECS: Final = (
    MitigationSpec(
        kind="nginx.block",
        title="Block the client",
        options=BlockOptions,
        create=_block,
        risk=Risk.CHANGE,
        acts_on=_TALKERS,
        takes_row=True,
        target_option="address",
        moves=_MOVES,
        timeout=_TIMEOUT_S,
    ),
    MitigationSpec(
        kind="nginx.unblock",
        title="Unblock the client",
        options=UnblockOptions,
        create=_unblock,
        risk=Risk.CHANGE,
        acts_on=_TALKERS,
        takes_row=True,
        target_option="address",
        timeout=_TIMEOUT_S,
    ),
    MitigationSpec(
        kind="nginx.limit",
        title="Limit clients",
        options=LimitOptions,
        create=_limit,
        risk=Risk.CHANGE,
        acts_on=_TALKERS,
        moves=_MOVES,
        timeout=_TIMEOUT_S,
    ),
    MitigationSpec(
        kind="nginx.unlimit",
        title="Lift the limit",
        options=UnlimitOptions,
        create=_unlimit,
        risk=Risk.CHANGE,
        acts_on=_TALKERS,
        timeout=_TIMEOUT_S,
    ),
    MitigationSpec(
        kind="nginx.reload",
        title="Reload nginx",
        options=ReloadOptions,
        create=_reload,
        risk=Risk.CHANGE,
        acts_on=_TALKERS,
        timeout=_TIMEOUT_S,
    ),
)
