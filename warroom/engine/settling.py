"""Settles one task of a playbook: its exact text, where it runs and how, and what a card says."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from warroom.domain.clock import span
from warroom.domain.text import harmless, shorten
from warroom.engine.members import ProbeMember
from warroom.mitigations._step import Ran, Runner, Step, lines_of
from warroom.mitigations._step_query import QueryRun
from warroom.mitigations._step_run import ShellRun, Terminal, TerminalRun
from warroom.mitigations.base import MitigationRefused, Output, Risk
from warroom.runbooks import model
from warroom.runbooks.fill import Unfillable, filled, is_secret, splits, variable_of, wanted
from warroom.runbooks.manner import Manner, Misplaced, asks_password, manner, placed, wants_tty
from warroom.runbooks.own_query import NotOwn, own_queries
from warroom.runbooks.risk import text_risk
from warroom.runbooks.unwrap import base_name, layers
from warroom.runbooks.veil import MASK, veiled

if TYPE_CHECKING:
    from warroom.config.settings import Settings
    from warroom.engine.playbook import Entry
    from warroom.engine.shelf import Book
    from warroom.hosts.base import Host
    from warroom.runbooks.model import Part, Playbook

_TYPESCRIPT: Final = ("script", "-qefc")
"""Gives a command a terminal and reads it (util-linux, script(1)): its exit code is the
command's. It takes the name of its record last, which is none."""
_SHORTEST: Final = 4
"""Characters of a value that is masked wherever it is printed."""


def refuse(why: str) -> None:
    """Raises MitigationRefused where there is a reason."""
    if why:
        raise MitigationRefused(why)


@dataclass(frozen=True, slots=True)
class Reached:
    """`host` as the config names it, `shell` what takes the text there, `inside` whether that is
    in a container."""

    host: str
    shell: tuple[str, ...]
    inside: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Settling:
    """`on` is the host where what says nothing else runs; `terminal` gives a command the whole
    terminal."""

    settings: Settings
    hosts: Mapping[str, Host]
    probes: Sequence[ProbeMember]
    on: str = ""
    terminal: Terminal | None = None

    def reached(self, entry: Entry) -> Reached:
        """Where a task runs. Raises MitigationRefused."""
        try:
            place = placed(entry.part.within if entry.part else ())
        except Misplaced as error:
            raise MitigationRefused(harmless(str(error))) from None
        if not place.ssh:
            return Reached(self.on, place.shell, inside=place.shell[0] != "bash")
        wanted_user, _, machine = place.ssh.rpartition("@")
        for name, host in self.settings.hosts.items():
            user, _, known = host.ssh.rpartition("@")
            if place.ssh in (host.ssh, name) or machine == known:
                other = wanted_user and user and wanted_user != user
                note = f"as {user}, where the runbook says {wanted_user}" if other else ""
                return Reached(name, place.shell, note=note)
        raise MitigationRefused(
            f"{harmless(place.ssh)} is not in the config: add [hosts.NAME] with "
            f'ssh = "{harmless(place.ssh)}"'
        )

    def step(
        self, book: Book, playbook: Playbook, entry: Entry, values: Mapping[str, str],
        limit_s: float, probe: str, stale: Callable[[], str],
    ) -> Step:  # fmt: skip
        """The task with its values. Raises MitigationRefused."""
        made = (
            self._query(entry, probe, values, limit_s)
            if entry.part is None
            else self._shell(entry, entry.part, values, limit_s)
        )
        risk = max(entry.risk, made.risk, key=lambda one: one.rank)
        why = made.why if made.risk.rank > entry.risk.rank else entry.why
        place = f"{book.name}:{entry.line}"
        return Step(
            key=entry.key,
            place=place,
            playbook=playbook.title,
            title=f"{playbook.title}, {place.rpartition('/')[2]}",
            host=made.host,
            command=lines_of(made.text),
            record=lines_of(veiled(made.text)[0]),
            risk=Risk(risk.value),
            told=(
                *_told(place, playbook, entry, f"{risk.value}: {why}"), *made.told,
                *_values(entry.text, values),
            ),
            warnings=(*made.warnings, *_lint(book, entry)),
            limit_s=limit_s,
            run=made.run,
            stale=stale,
            filled=_kept(entry.text, values),
        )  # fmt: skip

    # Shell text -------------------------------------------------------------------------------

    def _shell(self, entry: Entry, part: Part, values: Mapping[str, str], limit_s: float) -> _Made:
        refuse("" if part.is_exact else "it does not stand in the file as it is shown")
        where = self.reached(entry)
        try:
            text = filled(part.text, values)
        except Unfillable as error:
            raise MitigationRefused(harmless(str(error))) from None
        variables = self._variables(part.text, values, where)
        how = manner(part)
        runs = ", ".join(dict.fromkeys(_programs(part)))
        judged = text_risk(text) if text != part.text else part.assessment
        made = _Made(text, where.host, judged.risk, harmless(judged.why))
        made.wants_tty = self.terminal is None and not where.inside and wants_tty(part)
        made.told = [("runs", shorten(runs, 200)), *self._ways(where, how, limit_s)]
        if made.wants_tty:
            made.told.append(("on", "a terminal of its own, by script(1), where nobody types"))
        made.warnings = [where.note] if where.note else []
        if asks_password(part) and self.terminal is None:
            made.warnings.append("sudo gets no terminal here: where it wants a password, it ends")
        made.run = self._runner(made, where, how, limit_s, variables, values)
        return made

    def _ways(self, where: Reached, how: Manner, limit_s: float) -> Iterator[tuple[str, str]]:
        yield "by", harmless(" ".join(where.shell))
        if self.terminal is not None:
            yield "in", "your terminal, until it ends: what it shows is not kept"
        elif how is Manner.ENDLESS:
            yield "for", f"until it is stopped, at most {span(limit_s)}"
        else:
            yield "for", f"at most {span(limit_s)}"

    def _variables(
        self, text: str, values: Mapping[str, str], where: Reached
    ) -> tuple[tuple[str, str], ...]:
        """What travels in the environment. Raises MitigationRefused for what is set nowhere, and
        for what the shell would split."""
        found: dict[str, str] = {}
        for name in wanted(text):
            value = values.get(name)
            if name.startswith("$") and value is None:
                here = not where.host and not where.inside
                is_set = name[1:] in os.environ if here else not where.inside
                refuse("" if is_set else f"{name} is not filled in, and not set where this runs")
            elif value is not None and (name.startswith("$") or is_secret(name)):
                if name.startswith("$") and splits(text, name[1:], value):
                    raise MitigationRefused(
                        f"{name} stands without quotes, and its value has blanks or patterns: "
                        "the shell would make several words of it"
                    )
                found[variable_of(name)] = value
        if found and where.inside and where.shell[0] != "docker":
            raise MitigationRefused("variables do not reach into that container: copy it")
        return tuple(found.items())

    def _runner(
        self, made: _Made, where: Reached, how: Manner, limit_s: float,
        variables: tuple[tuple[str, str], ...], values: Mapping[str, str],
    ) -> Runner:  # fmt: skip
        shell, text = where.shell, made.text
        if variables and where.inside:
            flags = [word for name, _ in variables for word in ("-e", name)]
            shell = (*shell[:2], *flags, *shell[2:])
        if self.terminal is not None:
            return TerminalRun(
                self._in_terminal(made, where, shell, variables), self.terminal, variables
            )
        if how is Manner.TERMINAL:
            raise MitigationRefused("it takes the whole terminal: T gives it yours, c copies it")
        if made.wants_tty:
            shell, text = _TYPESCRIPT, f"exec {shlex.join((*shell, text))}"
        hidden = [value for name, value in values.items() if is_secret(name) or name[0] == "$"]
        hidden += veiled(made.text)[1]
        return ShellRun(
            host=self.hosts[where.host],
            argv=(*shell, text, "/dev/null") if made.wants_tty else (*shell, text),
            limit_s=limit_s,
            values=variables,
            hidden=tuple(text for text in hidden if len(text) >= _SHORTEST),
            endless=how is Manner.ENDLESS,
            reads=made.risk is model.Risk.READ,
        )

    def _in_terminal(
        self, made: _Made, where: Reached, shell: tuple[str, ...], variables: Sequence[object]
    ) -> tuple[str, ...]:
        if where.inside:
            refuse("a container on another machine: copy it" if where.host else "")
            return (*shell[:2], "-it", *shell[2:], made.text)
        if not where.host:
            return (*shell, made.text)
        refuse("variables do not reach another machine's terminal: copy it" if variables else "")
        return ("ssh", "-t", "--", self.settings.hosts[where.host].ssh, made.text)

    # Queries ------------------------------------------------------------------------------------

    def _query(self, entry: Entry, probe: str, values: Mapping[str, str], limit_s: float) -> _Made:
        member = self._server(probe)
        try:
            queries = own_queries(entry.text, values)
        except (NotOwn, Unfillable) as error:
            raise MitigationRefused(harmless(str(error))) from None
        made = _Made(
            "\n".join(queries), member.entry.on, model.Risk.READ, "a query that only reads"
        )
        made.told = [
            ("by", f"the connection of {member.entry.name}, which can only read"),
            ("for", f"at most {span(limit_s)}, 3 s each; the first 200 rows"),
        ]
        made.run = QueryRun(member.options.dsn, self.hosts[member.entry.on], tuple(queries))
        return made

    def _server(self, name: str) -> ProbeMember:
        found = [p for p in self.probes if p.entry.kind == "postgres"]
        refuse("" if found else "no PostgreSQL is in the config to ask: add [[probe]], or copy it")
        chosen = [p for p in found if p.entry.name == name] or found
        names = ", ".join(p.entry.name for p in found)
        refuse(f"which one: {names}?" if len(chosen) > 1 else "")
        return chosen[0]


async def _nothing(output: Output) -> Ran:
    raise MitigationRefused(f"nothing to run, and {output.count} lines")


@dataclass(slots=True)
class _Made:
    """A task while it is settled."""

    text: str
    host: str
    risk: model.Risk
    why: str
    told: Sequence[tuple[str, str]] = ()
    warnings: list[str] = field(default_factory=list)
    wants_tty: bool = False
    run: Runner = _nothing


def _told(place: str, playbook: Playbook, entry: Entry, risk: str) -> Iterator[tuple[str, str]]:
    yield "step", f"{place}, {playbook.title}"
    if entry.comment:
        yield "does", shorten(entry.comment, 300)
    yield "risk", risk


def _programs(part: Part) -> Iterator[str]:
    for program in part.programs:
        yield from (harmless(base_name(argv[0])) for argv in layers(program.argv))


def _values(text: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in wanted(text):
        if name.startswith("$"):
            yield (
                harmless(name),
                "from what was filled in" if name in values else "as it is set there",
            )
        else:
            yield harmless(name), MASK if is_secret(name) else harmless(values.get(name, ""))


def _kept(text: str, values: Mapping[str, str]) -> Mapping[str, str]:
    """What the record keeps of the values: no secret, and nothing of the environment."""
    return {
        name: values[name]
        for name in wanted(text)
        if name in values and not name.startswith("$") and not is_secret(name)
    }


def _lint(book: Book, entry: Entry) -> Iterator[str]:
    """What the linter says of these lines."""
    last = entry.line + entry.text.count("\n")
    if entry.part is None:
        last += 1
    for found in book.runbook.lint:
        if entry.line <= found.line <= last and found.level is not model.LintLevel.INFO:
            yield found.message
