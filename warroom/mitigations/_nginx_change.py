"""A change of warroom's own include file: tested, written, loaded, proved, or taken back whole.

write → `nginx -T` → reload → new workers → what is observed. Whatever goes wrong on the way, the
file is put back byte for byte, and where nginx may have loaded the new one it loads the old again.
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

T = TypeVar("T")


class Wrong(Exception):
    """The change does not hold: take it back. The message says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """From `old` to `new` bytes of the file at `path`; `old` None is no file, `new` None a reload
    alone. `observe` raises Wrong, or says in words what was seen, nothing when it cannot look."""

    server: Server
    host: Host
    path: str
    old: bytes | None
    new: bytes | None
    output: Output
    observe: Callable[[], Awaitable[str]]

    async def make(self) -> str:
        """What was seen in the end, in words.

        Raises MitigationRefused when nothing was touched, MitigationFailed when all is as it was,
        and MitigationUncertain.
        """
        dump, before = await self._alive()
        self.output.say("nginx -T: the config passes as it is")
        if self.new is not None:
            await self._write()
            self.output.say(f"wrote {self.path}")
        try:
            await self._tested()
        except BaseException as error:
            await self._undone(error, is_loaded=False)
            raise
        try:
            is_seen = await self._reloaded(dump, before)
            return await self._proved(is_seen=is_seen)
        except BaseException as error:
            await self._undone(error, is_loaded=True)
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

    async def _write(self) -> None:
        assert self.new is not None
        try:
            await self.host.replace_file(self.path, self.new, expected=self.old)
        except HostLost as error:
            raise MitigationUncertain(
                f"{error}; it holds the old or the new content, and nginx was not reloaded"
            ) from error
        except FileChanged as error:
            raise MitigationRefused(f"nothing was done: {error}; look again") from error
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error

    async def _tested(self) -> None:
        """Raises Wrong unless nginx takes the config, and reads our file in it as we wrote it."""
        try:
            dump = await self.server.dump()
        except (Broken, NotFollowed) as error:
            raise Wrong(f"nginx -t refuses it: {error}") from error
        if self.new is not None and dump.files.get(self.path) != self.new:
            raise Wrong(f"nginx does not read {self.path} as it was written")
        self.output.say("nginx -T: the config passes with it")

    async def _reloaded(self, dump: Dump, before: Life) -> bool:
        """Whether new workers could be seen in the place of the old ones. Raises Wrong."""
        said = await self.server.reload()
        if said:
            raise Wrong(f"nginx -s reload: {said}")
        self.output.say("nginx -s reload: sent")
        if before.workers is None:
            self.output.say("its workers cannot be seen from here")
            return False
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_S
        while True:
            try:
                now = await self.server.life(dump)
            except Down as error:
                raise Wrong(f"after the reload: {error}") from error
            if now.workers and not now.workers & before.workers:
                count = len(now.workers)
                self.output.say(f"{count} new worker{'s' if count > 1 else ''}")
                return True
            if loop.time() > deadline:
                raise Wrong(
                    f"nginx did not take the new config within {SETTLE_S:g} s: its old workers go "
                    "on; its error log says why"
                )
            await asyncio.sleep(_LOOK_S)

    async def _proved(self, *, is_seen: bool) -> str:
        """`is_seen`: new workers were. Raises Wrong and MitigationUncertain."""
        seen = await self.observe()
        if not (is_seen or seen):
            raise MitigationUncertain(
                "the reload was sent, and whether nginx took it cannot be seen: neither its "
                "workers (ps) nor an answer (verify_url)"
            )
        if self.new is not None:
            now = await self.host.read_file(self.path)
            if now.data != self.new:
                raise MitigationUncertain(
                    f"{self.path} was changed by somebody else while this ran: look again"
                )
        if seen:
            self.output.say(seen)
        return seen

    async def _undone(self, error: BaseException, *, is_loaded: bool) -> None:
        """Put everything back and raise what that makes of `error`; it returns only for what is
        to be raised as it is (the console is being left, and all is back)."""
        if isinstance(error, MitigationUncertain):
            raise error
        why = str(error) if isinstance(error, (Wrong, HostError)) else "it was ended halfway"
        try:
            said = await self._surely(self._back(is_loaded=is_loaded))
        except (HostError, Broken, Wrong) as second:
            raise MitigationUncertain(
                f"{harmless(why)}; and it could not be taken back: {second}. "
                f"Look at {self.path} and at nginx"
            ) from error
        self.output.say(said)
        if isinstance(error, (Wrong, HostError)):
            raise MitigationFailed(f"{why}; {said}") from error

    async def _back(self, *, is_loaded: bool) -> str:
        """The old file again, loaded where the new one may have been. Raises HostError, Broken and
        Wrong."""
        if self.new is None:
            return "no file was changed"
        if self.old is not None:
            await self.host.replace_file(self.path, self.old, expected=self.new)
        else:
            await self._remove()
        if not is_loaded:
            return f"{self.path} is as it was, and nginx was not reloaded"
        await self.server.dump()
        said = await self.server.reload()
        if said:
            raise Wrong(f"{self.path} is as it was, but nginx -s reload: {said}")
        return f"{self.path} is as it was, and nginx was reloaded with it"

    async def _remove(self) -> None:
        """Take the new file away where there was none."""
        try:
            found = await self.host.read_file(self.path)
        except FileMissing:
            return
        if found.data != self.new:
            raise FileChanged(f"{self.path} was changed by somebody else meanwhile")
        result = await self.host.run(["rm", "--", self.path])
        if result.code:
            raise HostError(f"{self.path} could not be removed again")

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
