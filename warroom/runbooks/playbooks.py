"""Sections → playbooks with their phases: symptoms, investigation, mitigation, verification."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from warroom.domain.text import harmless
from warroom.runbooks.durations import time_box
from warroom.runbooks.model import Instruction, Phase, PhaseKind, Playbook, Risk, Step
from warroom.runbooks.outline import Fence, ListItem, Paragraph, Section, Table, code_spans, plain
from warroom.runbooks.parts import shown
from warroom.runbooks.steps import fence_step, inline_step

_KINDS: Final = (
    (PhaseKind.SYMPTOMS, ("symptom", "signs", "how you know", "what you see", "signes", "anzeichen",
                          "síntoma", "sintom", "alerts that fire")),
    (PhaseKind.VERIFICATION, ("verif", "validat", "confirm", "überprüf", "prüfung", "vérif",
                              "comprob", "how to check it worked")),
    (PhaseKind.INVESTIGATION, ("investigat", "diagnos", "triage", "assess", "untersuch", "analyse",
                               "check", "enquête", "look", "gather", "detection")),
    (PhaseKind.MITIGATION, ("mitigat", "fix", "resol", "remed", "recover", "contain", "rollback",
                            "immediate", "beheb", "lösung", "massnahm", "gegenmassnahm", "correct",
                            "solución", "atténuation", "abhilfe", "repair", "workaround")),
    (PhaseKind.COMMUNICATION, ("communicat", "notif", "kommunikat", "comunica", "tell")),
    (PhaseKind.STEPS, ("steps", "procedure", "actions", "schritte", "étapes", "pasos", "vorgehen")),
)  # fmt: skip
_NUMBER: Final = re.compile(r"(?:(?:phase|step|schritt|étape|paso)\s+)?[0-9]{0,2}[.):]?\s*", re.I)
_ACTS: Final = re.compile(
    r"\b(?:re-?start|roll ?back|scale|force|clear|kill|fix|redeploy|renew|rerun|restore|apply"
    r"|isolate|rotate|block|disable|enable|neu ?start|redémarr|reinici)",
    re.IGNORECASE,
)
_LOOKS_AGAIN: Final = re.compile(
    r"\b(?:verif|confirm|validat|check (?:that|again)|make sure|überprüf|vérif|comprob)",
    re.IGNORECASE,
)
_LONGEST_LABEL: Final = 60
_LONGEST_LABELLED: Final = 400
"""Characters of an instruction that are kept beside the command in it."""


def playbooks(sections: Sequence[Section]) -> tuple[Playbook, ...]:
    """One for each section that holds steps or speaks of symptoms; sections within one that are
    but its phases ("### Symptoms") are taken into it."""
    found: list[Playbook] = []
    index = 0
    while index < len(sections):
        section = sections[index]
        below = _phases_below(sections, index)
        steps = [step for each in (section, *below) for step in _steps(each)]
        phases = tuple(_phases(section, below))
        if steps or any(phase.kind is PhaseKind.SYMPTOMS for phase in phases):
            found.append(_playbook(section, tuple(steps), phases))
        index += 1 + len(below)
    return tuple(found)


def phase_kind(title: str) -> PhaseKind | None:
    """What a heading or label says that follows.

    >>> phase_kind("2. Investigation:"), phase_kind("Restart Services")
    (<PhaseKind.INVESTIGATION: 'investigation'>, None)
    """
    bare = _NUMBER.sub("", title.casefold(), count=1)
    if len(bare) > _LONGEST_LABEL:
        return None
    return next((kind for kind, words in _KINDS if bare.startswith(words)), None)


def _playbook(section: Section, steps: tuple[Step, ...], phases: tuple[Phase, ...]) -> Playbook:
    path = tuple(harmless(title) for title in section.path)
    made = Playbook(harmless(section.title), section.line, path, steps, phases)
    return replace(made, box=time_box(section.title), acts=_acts(made), verifies=_verifies(made))


def _acts(playbook: Playbook) -> bool:
    """By a step that changes something, or by a line that says so."""
    told = (
        each.text
        for phase in playbook.phases
        if phase.kind in (PhaseKind.MITIGATION, PhaseKind.STEPS)
        for each in phase.instructions
    )
    risky = any(step.assessment.risk is not Risk.READ for step in playbook.steps)
    return risky or any(_ACTS.search(text) for text in told)


def _verifies(playbook: Playbook) -> bool:
    """By a phase, by a line that says so after the last act, or by a step that only looks after
    the last one that changes something."""
    if any(phase.kind is PhaseKind.VERIFICATION for phase in playbook.phases):
        return True
    told = False
    for phase in playbook.phases:
        for each in phase.instructions:
            told = bool(_LOOKS_AGAIN.search(each.text)) or (told and not _ACTS.search(each.text))
    parts = [part.assessment.risk for step in playbook.steps for part in step.runnable]
    return told or (parts[-1:] == [Risk.READ] and set(parts) != {Risk.READ})


def _phases_below(sections: Sequence[Section], index: int) -> list[Section]:
    """The sections right below that are all phases of this one, symptoms among them."""
    above = sections[index]
    below: list[Section] = []
    for section in sections[index + 1 :]:
        is_child = section.level == above.level + 1 and section.path[-1:] == (above.title,)
        if not is_child or phase_kind(section.title) is None:
            break
        below.append(section)
    kinds = {phase_kind(section.title) for section in below}
    return below if PhaseKind.SYMPTOMS in kinds else []


def _steps(section: Section) -> Iterator[Step]:
    for block in section.blocks:
        if isinstance(block, Fence):
            yield fence_step(block, " ".join((*section.path[-1:], section.title)))
        elif isinstance(block, ListItem):
            yield from _inline(block.text, block.line)
        elif isinstance(block, Paragraph):
            yield from _alone(block)
        elif isinstance(block, Table):
            for line, cells in block.rows:
                for cell in cells:
                    yield from map(_of_cell, _inline(cell, line))


def _inline(text: str, line: int) -> Iterator[Step]:
    label = harmless(" ".join(plain(text[:_LONGEST_LABELLED]).split()))
    for offset, row in enumerate(text.split("\n")):
        for span in code_spans(row):
            step = inline_step(span, line + offset, label)
            if step:
                yield step


def _alone(block: Paragraph) -> Iterator[Step]:
    """In prose only what stands on a line of its own is meant to be run: `docker ps`."""
    for offset, row in enumerate(block.text.split("\n")):
        bare = row.strip()
        if bare.startswith("`") and bare.endswith("`") and bare.count("`") == 2:
            yield from _inline(bare, block.line + offset)


def _of_cell(step: Step) -> Step:
    """A `|` within a cell is written `\\|`: what the cell says does not stand so in the file."""
    if "|" not in step.command:
        return step
    return replace(step, parts=tuple(replace(part, is_exact=False) for part in step.parts))


@dataclass(slots=True)
class _Making:
    """A phase while its section is read."""

    kind: PhaseKind
    title: str
    line: int
    instructions: list[Instruction] = field(default_factory=list)
    until: int = 0


def _phases(section: Section, below: Sequence[Section]) -> Iterator[Phase]:
    made = list(_labelled(section))
    for child in below:
        kind = phase_kind(child.title)
        if kind is not None:
            phase = _Making(kind, child.title, child.line)
            for block in child.blocks:
                phase.instructions += _instructions(block)
            made.append(phase)
    if not made:
        return
    last = max(_last_line(each) for each in (section, *below))
    ends = [phase.line for phase in made[1:]] + [last + 1]
    for phase, until in zip(made, ends, strict=True):
        box, told = time_box(phase.title), tuple(phase.instructions)
        until = phase.until or until
        yield Phase(phase.kind, harmless(phase.title), phase.line, until, box, told)


def _labelled(section: Section) -> Iterator[_Making]:
    """Phases that a bold line or list item begins; another of its sort ends one."""
    current: _Making | None = None
    begun: object = None
    for block in section.blocks:
        title, rest = _label(block)
        kind = phase_kind(title) if title else None
        if current and (kind is not None or (title and type(block) is begun)):
            current.until = block.line
            yield current
            current = None
        if kind is not None:
            current, begun = _Making(kind, title, block.line), type(block)
            current.instructions += [Instruction(block.line, text) for text in rest]
        elif current:
            current.instructions += _instructions(block)
    if current:
        yield current


def _label(block: object) -> tuple[str, list[str]]:
    """`**Symptoms:** slow, errors` → its title, and what stands behind it, parted at commas."""
    if not isinstance(block, (Paragraph, ListItem)) or not block.text:
        return "", []
    first, _, more = block.text.partition("\n")
    if first.startswith(("**", "__")):
        end = first.find(first[:2], 2)
        title, rest = first[2:end], first[end + 2 :]
        if end < 0:
            return "", []
        if rest.lstrip().startswith("("):
            title, rest = f"{title} {rest.strip().rstrip(':')}", ""
    elif first.rstrip().endswith(":") and len(first) < _LONGEST_LABEL:
        title, rest = first, ""
    else:
        return "", []
    text = plain(f"{rest}\n{more}").strip(" :\n")
    pieces = [shown(" ".join(piece.split())) for piece in text.split(",")]
    return plain(title).strip(" :"), [piece for piece in pieces if piece]


def _instructions(block: object) -> list[Instruction]:
    if not isinstance(block, ListItem):
        return []
    text = shown(" ".join(plain(block.text).split()))
    return [Instruction(block.line, text)] if text else []


def _last_line(section: Section) -> int:
    lines = [section.line]
    for block in section.blocks:
        extent = block.content if isinstance(block, Fence) else getattr(block, "text", "")
        rows = block.rows[-1][0] - block.line if isinstance(block, Table) and block.rows else 0
        lines.append(block.line + extent.count("\n") + rows + 1)
    return max(lines)
