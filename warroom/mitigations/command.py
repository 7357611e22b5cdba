"""Runs any argv, here or on a host: shown before, watched while it runs, taken back where it can
be. Never through a shell; a value that was asked for is one word, or a part of one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import unified_diff
from typing import Any, Final

from warroom.config.inputs import asked, filled
from warroom.config.scalars import Wrong
from warroom.domain.clock import span
from warroom.domain.sample import Row
from warroom.domain.text import harmless, shorten
from warroom.hosts.base import Surroundings
from warroom.mitigations._asked import answers
from warroom.mitigations._command_options import (
    Diff,
    Options,
    Read,
    UndoSettings,
    filled_options,
    rendered,
)
from warroom.mitigations._command_run import Looked, look, run
from warroom.mitigations.base import (
    Card,
    Done,
    Mitigation,
    MitigationContext,
    MitigationFailed,
    MitigationRefused,
    MitigationSpec,
    Risk,
    Target,
    Undo,
)

KIND: Final = "command.run"
LINES: Final = 40
"""Lines of a preview that stand on the card."""
_WIDTH: Final = 400
_LOOK_S: Final = 20.0
"""Seconds for a command that only reads; a dry run has the command's own limit."""
_BACKSTOP_S: Final = 10.0
"""Seconds over the command's own limit, so that it is this file that ends it."""


class Command:
    """One argv with the answers to its inputs."""

    def __init__(self, options: Options, context: MitigationContext) -> None:
        self._options, self._context = options, context
        self._where = Surroundings(options.directory, options.variables)
        self._values: Mapping[str, str] | None = None

    def answer(self, values: Mapping[str, str]) -> None:
        """See `Asks`."""
        self._values = answers(self._options.inputs, values, self._options.given)

    async def preview(self, row: Row | None) -> Card:
        """The exact argv, and what its looks and its dry run say. Raises MitigationRefused."""
        options = self._options
        if self._values is None:
            self.answer({})
        values = dict(self._values or {})
        reads = await self._read(values)
        every = {**values, **reads}
        argv = rendered(options.argv, options, every)
        undo = self._undo(every)
        hits = [(one.label, harmless(values[one.name])) for one in options.inputs]
        hits += [(_title(one), reads[one.name]) for one in options.reads]
        warnings = [harmless(text) for text in options.warnings]
        if options.preview:
            hits += _said("preview", await self._looked(options.preview, every))
        if options.diff is not None:
            hits += await self._difference(options.diff, every)
        if options.dry_run:
            tried = await self._looked(options.dry_run, every, options.timeout)
            hits += [("dry run", shown(tried.argv)), *_said("dry run", tried)]
            if tried.code:
                warnings.insert(0, f"the dry run failed with exit code {tried.code}")
        return Card(
            kind=KIND,
            title=harmless(self._context.title) or f"Run {harmless(argv[0])}",
            host=self._context.host.name,
            target=self._target(argv, values),
            command=(shown(argv), *self._around()),
            hits=tuple(hits),
            undo=self._undo_words(undo),
            risk=options.risk,
            warnings=tuple(warnings),
            context={"argv": argv, "values": every, "undo": undo},
        )

    async def perform(self, card: Card) -> Done:
        """Run the card's argv, after reading again what it was shown with."""
        options, clock = self._options, self._context.clock
        now = await self._read(card.context["values"])
        for one in options.reads:
            before, after = card.context["values"][one.name], now[one.name]
            if before != after:
                raise MitigationRefused(
                    f"{_title(one)} was {before} when it was shown and is {after} now; look again"
                )
        began = clock.monotonic()
        self._context.fence()
        argv, output = card.context["argv"], self._context.output
        code, feed = await run(self._context.host, argv, self._where, output, options.timeout)
        seconds = clock.monotonic() - began
        told = feed.told()
        words = f"exit code {code} after {span(seconds)}{f': {told}' if told else ''}"
        if code not in options.exits:
            raise MitigationFailed(words)
        evidence = {
            "exit": code,
            "seconds": round(seconds, 2),
            "lines": feed.lines,
            "output": list(feed.last)[-20:],
        }
        return Done(words, evidence, card.context["undo"], options.expires)

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _looked(
        self, argv: Sequence[str], values: Mapping[str, str], limit: float = _LOOK_S
    ) -> Looked:
        words = rendered(argv, self._options, values)
        return await look(self._context.host, words, self._where, limit)

    async def _difference(self, diff: Diff, values: Mapping[str, str]) -> Sequence[tuple[str, str]]:
        before = await self._looked(diff.before, values)
        after = await self._looked(diff.after, values)
        for one in (before, after):
            if one.code:
                return [("difference", f"{shown(one.argv)}: exit code {one.code}"), *_said("", one)]
        lines = [
            line
            for line in unified_diff(before.lines, after.lines, n=1, lineterm="")
            if not line.startswith(("---", "+++", "@@"))
        ]
        return tuple(_said("difference", Looked(before.argv, 0, tuple(lines or ("none",)))))

    async def _read(self, values: Mapping[str, str]) -> dict[str, str]:
        """The facts, each one printable line. Raises MitigationRefused when one cannot be had."""
        found = {}
        for one in self._options.reads:
            looked = await self._looked(one.argv, values)
            text = " ".join(line.strip() for line in looked.lines).strip()
            if looked.code:
                raise MitigationRefused(
                    f"{_title(one)} cannot be read: exit code {looked.code}: {shorten(text, 300)}"
                )
            try:
                found[one.name] = one.as_input.value(text)
            except Wrong as wrong:
                raise MitigationRefused(
                    f"{_title(one)} cannot be read: {harmless(wrong.message)}"
                ) from None
        return found

    def _target(self, argv: Sequence[str], values: Mapping[str, str]) -> Target:
        options = self._options
        if options.target:
            label = self._filled_target(values)
        else:
            label = values[options.inputs[0].name] if options.inputs else argv[0].rpartition("/")[2]
        label = shorten(harmless(label), 100)
        where = self._context.host.name
        exact = label if options.target else shorten(shown(argv), _WIDTH)
        return Target(f"command {exact} on {where}" if where else f"command {exact}", label)

    def _filled_target(self, values: Mapping[str, str]) -> str:
        target = self._options.target
        return target if self._options.verbatim else filled(target, values)

    def _around(self) -> Iterator[str]:
        options = self._options
        if options.directory:
            yield f"in {harmless(options.directory)}"
        if options.env:
            yield f"with {', '.join(options.env)} from the environment"
        codes = ", ".join(map(str, options.exits))
        yield f"at most {span(options.timeout)}; exit code {codes} means it worked"

    def _undo(self, values: Mapping[str, str]) -> Undo | None:
        undo, options = self._options.undo, self._options
        if not isinstance(undo, UndoSettings):
            return None
        title = undo.title or f"Undo: {self._context.title or options.argv[0]}"
        if undo.kind and undo.kind != KIND:
            return Undo(undo.kind, title, filled_options(undo.options, values))
        table: dict[str, Any] = {
            "env": list(options.env),
            "directory": options.directory,
            "timeout": float(options.timeout),
            **{
                k: v for k, v in undo.options.items() if k not in ("inputs", "set", "reads", "undo")
            },
        }
        argv = undo.argv or tuple(undo.options.get("argv", ()))
        table["argv"] = list(rendered(argv, options, values))
        if options.target:
            table["target"] = self._filled_target(values)
        return Undo(KIND, title, {**table, "verbatim": True})

    def _undo_words(self, undo: Undo | None) -> str:
        if undo is None:
            return "nothing that is known takes it back"
        words = undo.kind
        if undo.kind == KIND:
            words = shown(undo.options["argv"])
        else:
            words += " " + ", ".join(f"{k} = {v}" for k, v in undo.options.items())
        expires = self._options.expires
        after = f"; it is to be taken back after {span(expires)}" if expires else ""
        return f"{harmless(words)}{after}"


class VerifiableCommand(Command):
    """A command whose config says how to see afterwards whether it happened."""

    remembers = ("values",)

    async def verify(self, card: Card) -> str:
        """What `verify` prints now. Raises MitigationRefused."""
        looked = await self._looked(self._options.verify, card.context["values"])
        said = " / ".join(line for line in looked.lines[-5:] if line.strip())
        told = shorten(said, 300) or "it says nothing"
        return f"{shown(looked.argv)}: exit code {looked.code}: {told}"


def shown(argv: Sequence[str]) -> str:
    """An argv as one would type it, harmless."""
    return harmless(shlex.join(argv))


def _title(read: Read) -> str:
    return read.title or read.name.replace("_", " ")


def _said(name: str, looked: Looked) -> Iterator[tuple[str, str]]:
    lines = [line for line in looked.lines if line.strip()]
    for line in lines[:LINES]:
        yield name, shorten(line, _WIDTH)
    if len(lines) > LINES or looked.cut:
        more = f"{len(lines) - LINES:,} more lines" if len(lines) > LINES else "more"
        yield name, f"… {more}{', and more than 64 KiB' if looked.cut else ''}"
    if looked.code or not lines:
        yield name, f"exit code {looked.code}{'' if lines else ', it says nothing'}"


def _create(options: Options, context: MitigationContext) -> Mitigation:
    return (VerifiableCommand if options.verify else Command)(options, context)


def _fit(spec: MitigationSpec, options: Options) -> MitigationSpec:
    return replace(
        spec,
        risk=options.risk,
        moves=tuple(options.moves.items()),
        timeout=float(options.timeout) + _BACKSTOP_S,
        inputs=asked(options.inputs, options.given),
    )


SPECS: Final = (
    MitigationSpec(
        kind=KIND,
        title="Run a command",
        options=Options,
        create=_create,
        risk=Risk.CHANGE,
        acts_on="",
        fit=_fit,
    ),
)
