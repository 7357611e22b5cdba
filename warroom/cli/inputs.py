"""What `warroom run` is given for a mitigation, what it asks for, and what there is to run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from warroom.cli.common import Loaded, fail
from warroom.config.inputs import Input
from warroom.config.packaged import Definition, definitions
from warroom.config.problems import nearest
from warroom.config.scalars import Wrong
from warroom.domain.text import harmless, shorten

if TYPE_CHECKING:
    from warroom.engine.executor import Action


def inputs_for(action: Action, given: Sequence[str]) -> dict[str, str]:
    """The values of `--set NAME=VALUE`, and of a terminal for those that are not given and have
    no default. Leaves with exit 2 when one is wrong."""
    values = {}
    known = [one.name for one in action.spec.inputs]
    for pair in given:
        name, mark, value = pair.partition("=")
        if not mark:
            fail(f'--set {shorten(harmless(pair), 60)}: write it as --set NAME="value"')
        if name not in known:
            hint = nearest(name, known) or f"{action.title} asks for nothing"
            fail(f"--set {shorten(harmless(name), 60)}: not an input; {hint}")
        values[name] = value
    for one in action.spec.inputs:
        if one.name not in values and not one.default and sys.stdin.isatty():
            values[one.name] = _asked(one)
    for one in action.spec.inputs:
        try:
            one.value(values.get(one.name) or one.default)
        except Wrong as wrong:
            hint = f" ({wrong.hint})" if wrong.hint else ""
            fail(harmless(f'{one.name}: {wrong.message}{hint}; --set {one.name}="..."'))
    return values


def _asked(one: Input) -> str:
    """A value that is right, however often it takes."""

    def checked(text: str) -> str:
        try:
            return one.value(text)
        except Wrong as wrong:
            raise click.UsageError(harmless(wrong.message)) from None

    hint = f" ({one.hint})" if one.hint else ""
    return str(click.prompt(f"{one.label}{hint}", value_proc=checked, err=True))


def listed(loaded: Loaded) -> Iterator[str]:
    """Lines: the config's own mitigations, then the packaged ones with what each needs."""
    if loaded.mitigations:
        yield "in the config:"
    for member in loaded.mitigations:
        entry = member.entry
        name = f"{entry.key or ' '}  {entry.title or member.spec.title}"
        yield f"  {name}  [{member.spec.risk.value}]  {entry.use or entry.kind}{_at(entry.on)}"
        for one in member.spec.inputs:
            yield f"       {_input(one.name, one.label, one.hint, one.default)}"
    yield 'packaged, for [[mitigation]] use = "NAME":'
    for definition in definitions().values():
        yield f"  {definition.name}  {definition.title}"
        for line in _needs(definition):
            yield f"       {line}"


def _needs(definition: Definition) -> Iterator[str]:
    argv = definition.table.get("argv", ())
    program = argv[0] if argv else ""
    if program and "/" not in program:
        found = "is here" if shutil.which(program) else "is not installed here"
        yield f"{program} {found}"
    for need in definition.needs:
        yield f"needs {need}"
    for one in definition.table.get("inputs", ()):
        name, default = one["name"], one.get("default", "")
        choices = ", ".join(one.get("choices", ()))
        yield _input(name, one.get("title", name), choices, default)


def _input(name: str, label: str, hint: str, default: str) -> str:
    words: Mapping[str, str] = {"": hint, "default ": default}
    told = "; ".join(f"{before}{word}" for before, word in words.items() if word)
    title = f" {label}" if label != name else ""
    return f"--set {name}=...{title}{f' ({told})' if told else ''}"


def _at(host: str) -> str:
    return f" on {host}" if host else ""
