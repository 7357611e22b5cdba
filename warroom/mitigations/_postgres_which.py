"""Which PostgreSQL backends are ended together: who matches, or who is at the root of a lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from warroom.config.inputs import Input, answered
from warroom.config.scalars import Wrong, duration
from warroom.config.values import Seconds
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.domain.text import harmless
from warroom.hosts.postgres import server_version, statement
from warroom.mitigations import _postgres_crowd as crowd
from warroom.mitigations._postgres_crowd import Backend
from warroom.mitigations._postgres_many import ROOM, EndMany
from warroom.mitigations._postgres_ways import (
    LEAST_S,
    LONGER_THAN,
    BlockersOptions,
    CrowdOptions,
    Step,
    Way,
)
from warroom.mitigations.base import Card, MitigationContext, MitigationRefused

_PREPARED: Final = (
    "a prepared transaction, which no backend is in: SELECT gid FROM pg_prepared_xacts, then "
    "ROLLBACK PREPARED"
)


class EndMatching(EndMany):
    """Those that have been in a state for longer than is asked for."""

    def __init__(self, way: Way, options: CrowdOptions, context: MitigationContext) -> None:
        super().__init__(way, options.dsn, context)
        self._options = options
        self._longer = options.longer_than

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        inputs = inputs_of(self._options)
        try:
            text = answered(inputs, values).get(LONGER_THAN.name)
            if text is not None:
                self._longer = Seconds(duration(text))
        except Wrong as wrong:
            hint = f" ({wrong.hint})" if wrong.hint else ""
            raise MitigationRefused(harmless(f"{wrong.message}{hint}")) from None
        if self._longer is not None and self._longer < LEAST_S:
            raise MitigationRefused(
                "longer_than: at least a second: who is at work changes all the time"
            )

    async def look(self, connection: Any, version: int, row: Row | None) -> Card:
        if self._longer is None:
            self.answer({})
        way, options, longer = self.way, self._options, float(self._longer or LEAST_S)
        only = (options.database, options.user, options.application_name)
        found = await connection.fetch(
            statement(ROOM, "crowd", version), way.state, longer, *only, []
        )
        ended, left = crowd.sorted_out(found, superusers=options.superusers)
        if not ended:
            kept = f"; left alone: {crowd.reasons(left)}" if left else ""
            everybody = await connection.fetch(
                statement(ROOM, "crowd", version), way.state, 0.0, *only, []
            )
            nearest = [one for one in everybody if not crowd.spared(one, superusers=False)]
            raise MitigationRefused(
                f"nobody has been {way.words} for longer than {span(longer)}{self._among()}"
                f"{_so_far(nearest)}{kept}"
            )
        what = f"{way.words} for longer than {span(longer)}{self._among()}"
        return self.card(ended, left, way.words + self._among(), [("who", what)], {})

    def _among(self) -> str:
        options = self._options
        names = (
            ("in database", options.database),
            ("of user", options.user),
            ("of application", options.application_name),
        )
        return "".join(f" {word} {harmless(name)}" for word, name in names if name)


class EndBlockers(EndMany):
    """Those at the root of what the selected backend waits for."""

    remembers = ("backends", "victim")

    def __init__(self, way: Way, options: BlockersOptions, context: MitigationContext) -> None:
        super().__init__(way, options.dsn, context)

    async def look(self, connection: Any, version: int, row: Row | None) -> Card:
        if row is None:
            raise MitigationRefused("select a backend that waits first")
        pid, began = int(row.data["pid"]), str(row.data["backend_start"])
        if not began:
            raise MitigationRefused(f"this role may not see pid {pid}: GRANT pg_monitor to it")
        start = datetime.fromisoformat(began)
        chain = await connection.fetch(statement(ROOM, "roots", version), pid, start)
        roots = [one["pid"] for one in chain if one["root"]]
        if not chain:
            raise MitigationRefused(f"pid {pid} waits for nobody, or is gone")
        if not roots:
            raise MitigationRefused("they wait for each other: the server ends one of them itself")
        found = await connection.fetch(
            statement(ROOM, "crowd", version), "", 0.0, "", "", "", roots
        )
        ended, left = crowd.sorted_out(found, superusers=True)
        prepared = _PREPARED if 0 in roots else ""
        if not ended:
            why = "; ".join(filter(None, (prepared, crowd.reasons(left)))) or "they have gone"
            raise MitigationRefused(f"none of its blockers may be ended: {why}")
        who = [("waits", f"pid {pid}, behind {len(chain):,} in all, {len(roots):,} at the root")]
        if prepared:
            who.append(("stays", prepared))
        return self.card(ended, left, f"blockers of {pid}", who, {"victim": [pid, began]})

    def more(self, card: Card) -> Sequence[Any]:
        pid, began = card.context["victim"]
        return (int(pid), datetime.fromisoformat(began))

    async def settled(
        self, connection: Any, card: Card, standing: Sequence[Backend], step: Step
    ) -> set[int]:
        """A cancelled one has let go when it is at the root no more."""
        settled = await super().settled(connection, card, standing, "terminate")
        if step == "cancel":
            version = server_version(connection)
            sql = statement(ROOM, "roots", version)
            roots = {one["pid"] for one in await connection.fetch(sql, *self.more(card))}
            settled |= {one.pid for one in standing if one.pid not in roots}
        return settled


def _so_far(found: Sequence[crowd.Record]) -> str:
    """Who comes nearest to what was asked for, so that the next question is the right one."""
    if not found:
        return ""
    longest = max(map(crowd.lasted, found))
    return f": {len(found):,} so far, the longest for {span(max(0.0, longest))}"


def inputs_of(options: CrowdOptions) -> tuple[Input, ...]:
    """What is asked for."""
    return () if options.longer_than is not None else (LONGER_THAN,)
