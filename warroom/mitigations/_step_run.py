"""How one step of a runbook runs: through a shell that is watched, or with the whole terminal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from warroom.domain.clock import span
from warroom.hosts.base import Host, HostError, HostLost, Surroundings
from warroom.mitigations._command_run import secrets
from warroom.mitigations._feed import Feed
from warroom.mitigations._step import Ran
from warroom.mitigations.base import MitigationRefused, MitigationUncertain, Output

Terminal = Callable[[Sequence[str], Mapping[str, str]], Awaitable[int]]
"""Gives a command the whole terminal, with these further variables; its exit code. Raises
MitigationRefused where there is no terminal to give."""


@dataclass(frozen=True, slots=True)
class ShellRun:
    """`argv`, whose last word is the team's text, on `host`. Its input is empty and it has no
    terminal: what would ask for something ends instead.

    `values` are variables that it gets besides those that are there, `hidden` texts that are not
    to be repeated. One that is `endless` is over when it is stopped, or when its time is; one that
    only `reads` leaves nothing behind that somebody would have to know of.
    """

    host: Host
    argv: tuple[str, ...]
    limit_s: float
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    endless: bool = False
    reads: bool = False

    async def __call__(self, output: Output) -> Ran:
        """See `Runner`. Whatever ends it early ends its whole process group."""
        feed = Feed(output, [*self.hidden, *secrets(Surroundings(env=tuple(os.environ)))])
        began = False
        try:
            where = Surroundings(values=self.values)
            async with asyncio.timeout(self.limit_s), self.host.launch(self.argv, where) as running:
                began = True
                async for chunk in running.output():
                    feed.take(chunk)
                code = await running.code()
        except TimeoutError:
            return self._over(began, f"ended at its time limit of {span(self.limit_s)}")
        except asyncio.CancelledError:
            if not (self.endless or self.reads):
                raise
            return self._over(began, "stopped")
        except HostLost as lost:
            if self.reads:
                return Ran(False, str(lost))
            raise MitigationUncertain(f"{lost}; it may have happened") from lost
        except HostError as error:
            raise MitigationRefused(f"nothing was done: {error}") from error
        finally:
            feed.end()
        return Ran(code == 0, f"exit code {code}", code)

    def _over(self, began: bool, how: str) -> Ran:
        """It was ended before it had ended. Raises for what may have changed something."""
        if self.endless or self.reads:
            return Ran(self.endless, how)
        if not began:
            raise MitigationRefused(f"nothing was done: no answer, {how}")
        raise MitigationUncertain(f"{how} with its children; what it did before that stays")


@dataclass(frozen=True, slots=True)
class TerminalRun:
    """`argv` with the whole terminal: an editor, `top`, `sudo` that asks. What it shows is not
    kept."""

    argv: tuple[str, ...]
    terminal: Terminal
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    async def __call__(self, output: Output) -> Ran:
        """See `Runner`."""
        output.say("it had the terminal; what it showed is not kept")
        code = await self.terminal(self.argv, dict(self.values))
        return Ran(code == 0, f"exit code {code}", code)
