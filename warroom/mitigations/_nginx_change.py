"""A change of warroom's own include file: tested, written, loaded, proved, or taken back whole.

write → `nginx -T` → reload → new workers → what is observed. Whatever goes wrong on the way, the
file is put back byte for byte, and where nginx may have loaded the new one it loads the old again.
Consoles that change the file at the same time hold no lock that a killed one would leave behind:
each compares and swaps, looks afterwards for its own rule, and takes back no more than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from warroom.domain.text import harmless
from warroom.hosts.base import (
    FileChanged,
    FileMissing,
    Host,
    HostError,
    HostLost,
)
from warroom.mitigations._nginx_dump import Dump, NotFollowed
from warroom.mitigations._nginx_rules import NotOurs, Rules, parse
from warroom.mitigations._nginx_server import Broken, Down, Life, Server
from warroom.mitigations.base import (
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Output,
)

SETTLE_S: Final = 10.0
"""Seconds within which a reload must show new workers. A master that cannot bind a socket tries
five times, half a second apart, before it gives up (ngx_open_listening_sockets)."""
_LOOK_S: Final = 0.1
_TRIES: Final = 8
"""How often it is written anew when others write to the file at the same moment."""

T = TypeVar("T")


class Wrong(Exception):
    """The change does not hold: take it back. The message says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to the rules of the file: `into` makes of what stands there what shall stand
    there (or raises MitigationRefused), `back` takes that out again, `holds` tells whether it is
    in. Others may write their own rules meanwhile: theirs are kept."""

    into: Callable[[Rules], Rules]
    back: Callable[[Rules], Rules]
    holds: Callable[[Rules], bool]


@dataclass(slots=True)
class Change:
    """One edit of the file at `path`, loaded; without an `edit`, a reload alone. `observe` raises
    Wrong, or says in words what was seen, nothing when it cannot look."""

    server: Server
    host: Host
    path: str
    edit: Edit | None
    output: Output
    observe: Callable[[], Awaitable[str]]
    fence: Callable[[], None]
    old: bytes | None = None
    """What the file held before; None is no file."""
    new: bytes = b""
    blocked: int = 0
    """How many rules of blocking the file has with the edit."""
    seen: str = ""
    """What was observed in the end, in words."""
    is_sent: bool = False
    is_taken: bool | None = None
    """Whether new workers came after the reload; None is not known (yet)."""

    async def make(self) -> None:
        """From beginning to end.

        Raises MitigationRefused when nothing was touched, MitigationFailed when all is as it was,
        and MitigationUncertain.
        """
        dump, before = await self._alive()
        self.output.say("nginx -T: the config passes as it is")
        if self.edit is not None:
            await self._write(self.edit)
            self.output.say(f"wrote {self.path}")
        try:
            await self._tested()
            await self._reloaded(dump, before)
            self.seen = await self._proved()
        except BaseException as error:
            await self._undone(error, dump, before)
            raise

    async def _alive(self) -> tuple[Dump, Life]:
        """Raises MitigationRefused unless nginx runs and its config passes as it is."""
        try:
            dump = await self.server.dump()
            return dump, await self.server.life(dump)
        except Broken as error:
            raise MitigationRefused(f"nothing was done: nginx -t fails already: {error}") from error
        except (Down, NotFollowed, HostError) as error:
            raise MitigationRefused(f"nothing was done: {error}") from error

    async def _write(self, edit: Edit) -> None:
        """Write the edit into what stands there now, as often as others write meanwhile."""
        for left in reversed(range(_TRIES)):
            try:
                self.old, rules = await self._read()
                after = edit.into(rules)
                self.new, self.blocked = after.render(), len(after.denies)
                self.fence()
                return await self.host.replace_file(self.path, self.new, expected=self.old)
            except HostLost as error:
                raise MitigationUncertain(
                    f"{error}; it holds the old or the new content, and nginx was not reloaded"
                ) from error
            except FileChanged as error:
                if not left:
                    raise MitigationRefused(f"nothing was done: {error}; look again") from error
            except NotOurs as error:
                raise MitigationRefused(f"nothing was done: {self.path}: {error}") from error
            except HostError as error:
                raise MitigationRefused(f"nothing was done: {error}") from error
        return None

    async def _read(self) -> tuple[bytes | None, Rules]:
        """The file as it is at this moment. Raises NotOurs and HostError."""
        try:
            data = (await self.host.read_file(self.path)).data
        except FileMissing:
            return None, Rules()
        return data, parse(data)

    async def _tested(self) -> None:
        """Raises Wrong unless nginx takes the config, and reads our file with our edit in it."""
        try:
            dump = await self.server.dump()
            read = parse(dump.files.get(self.path, b"")) if self.edit else Rules()
        except (Broken, NotFollowed) as error:
            raise Wrong(f"nginx -t refuses it: {error}") from error
        except NotOurs as error:
            raise Wrong(f"nginx does not read {self.path} as it was written: {error}") from error
        if self.edit and not self.edit.holds(read):
            raise Wrong(f"nginx does not read {self.path} as it was written")
        self.output.say("nginx -T: the config passes with it")

    async def _reloaded(self, dump: Dump, before: Life) -> None:
        """Raises Wrong unless new workers come in the place of the old ones, as far as they can be
        seen."""
        if self.edit is None:
            self.fence()
        self.is_sent = True
        said = await self.server.reload()
        if said:
            self.is_sent = False
            raise Wrong(f"nginx -s reload: {said}")
        self.output.say("nginx -s reload: sent")
        self.is_taken = await self._settled(dump, before)
        if self.is_taken is False:
            raise Wrong(
                f"nginx did not take the new config within {SETTLE_S:g} s: its old workers go "
                "on; its error log says why"
            )

    async def _settled(self, dump: Dump, before: Life) -> bool | None:
        """Whether workers come that are all other ones than `before`; None when none can be seen.

        They must stay for longer than nginx takes to read its config: after the reload of somebody
        else, that was under way when ours was asked for, ours comes next.
        Raises Wrong and HostError.
        """
        if before.workers is None:
            self.output.say("its workers cannot be seen from here")
            return None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_S
        stay = 2 * self.server.took_s + 2 * _LOOK_S
        seen, since = frozenset[int](), loop.time()
        while True:
            try:
                now = await self.server.life(dump)
            except Down as error:
                raise Wrong(f"after the reload: {error}") from error
            workers = now.workers or frozenset()
            if workers != seen:
                seen, since = workers, loop.time()
            is_new = bool(workers) and not workers & before.workers
            if is_new and loop.time() - since >= stay:
                count = len(workers)
                self.output.say(f"{count} new worker{'s' if count > 1 else ''}")
                return True
            if loop.time() > deadline:
                return False
            await asyncio.sleep(_LOOK_S)

    async def _proved(self) -> str:
        """Raises Wrong and MitigationUncertain."""
        seen = await self.observe()
        if not (self.is_taken or seen):
            raise MitigationUncertain(
                "the reload was sent, and whether nginx took it cannot be seen: neither its "
                "workers (ps) nor an answer (verify_url)"
            )
        if self.edit is not None:
            try:
                _, rules = await self._read()
            except NotOurs as error:
                raise MitigationUncertain(f"{self.path} was changed meanwhile: {error}") from error
            if not self.edit.holds(rules):
                raise MitigationUncertain(
                    f"{self.path} was changed by somebody else while this ran: look again"
                )
        if seen:
            self.output.say(seen)
        return seen

    async def _undone(self, error: BaseException, dump: Dump, before: Life) -> None:
        """Put everything back and raise what that makes of `error`; it returns only for what is
        to be raised as it is (the console is being left, and all is back)."""
        if isinstance(error, (MitigationUncertain, MitigationRefused)):
            raise error
        why = str(error) if isinstance(error, (Wrong, HostError)) else "it was ended halfway"
        try:
            said = await self._surely(self._back(dump, before))
        except (HostError, NotOurs, NotFollowed, Broken, Down, Wrong) as second:
            raise MitigationUncertain(
                f"{harmless(why)}; and it could not be taken back: {second}. "
                f"Look at {self.path} and at nginx"
            ) from error
        self.output.say(said)
        if isinstance(error, (Wrong, HostError)):
            raise MitigationFailed(f"{why}; {said}") from error

    async def _back(self, dump: Dump, before: Life) -> str:
        """The old file again, loaded where the new one was. Raises HostError, NotOurs, NotFollowed,
        Broken, Down and Wrong."""
        if self.edit is None:
            return "no file was changed"
        try:
            await self._restored()
            state = "is as it was"
        except FileChanged:
            await self._taken_out(self.edit)
            state = "is without it again, and has what others wrote meanwhile"
        if self.is_sent and self.is_taken is None:  # we were cut off while we waited
            self.is_taken = await self._settled(dump, before)
        if not self.is_sent or self.is_taken is False:
            return f"{self.path} {state}, and nginx goes on with what it had"
        now = await self.server.life(await self.server.dump())
        said = await self.server.reload()
        if said:
            raise Wrong(f"{self.path} {state}, but nginx -s reload: {said}")
        if await self._settled(dump, now) is False:
            raise Wrong(f"{self.path} {state}, but nginx did not load it within {SETTLE_S:g} s")
        return f"{self.path} {state}, and nginx was reloaded with it"

    async def _restored(self) -> None:
        """Byte for byte, if nobody else wrote to it. Raises FileChanged."""
        if self.old is not None:
            return await self.host.replace_file(self.path, self.old, expected=self.new)
        found = await self.host.read_file(self.path)
        if found.data != self.new:
            raise FileChanged(f"{self.path} was changed by somebody else meanwhile")
        result = await self.host.run(["rm", "--", self.path])
        if result.code:
            raise HostError(f"{self.path} could not be removed again")
        return None

    async def _taken_out(self, edit: Edit) -> None:
        """The edit alone, out of what others made of the file."""
        for left in reversed(range(_TRIES)):
            data, rules = await self._read()
            if data is None or not edit.holds(rules):
                return
            try:
                await self.host.replace_file(self.path, edit.back(rules).render(), expected=data)
                return
            except FileChanged:
                if not left:
                    raise

    @staticmethod
    async def _surely(work: Awaitable[T]) -> T:
        """`work` to its end, even when we are being cancelled (once more)."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            return await task
