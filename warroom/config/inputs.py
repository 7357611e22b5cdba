"""What is asked for before an action: each input declared, and each value checked, in one place.

A value is text that becomes part of one argument or one field of a request, and nothing else: it
is one printable line, and never text of a program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from warroom.config.problems import nearest
from warroom.config.scalars import Wrong, duration, named

TYPES: Final = ("text", "int", "choice", "duration")
LONGEST: Final = 1000
"""Characters of a value."""
PLACE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""Where a value goes in a template. `{.spec.x}` and `{{.Name}}` are no places: other tools' own."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to ask for. An empty `default` is none: then a value must be given.

    `pattern` (Python's `re`) must match the whole value; `dash` allows values that begin with
    `-`, which a program may take for an option. Raises ValueError, `key: what is wrong`.
    """

    name: str
    title: str = ""
    type: str = field(default="text", metadata={"doc": "text, int, choice or duration"})
    choices: tuple[str, ...] = ()
    pattern: str = ""
    default: str = ""
    dash: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("name: a to z, 0 to 9 and _, beginning with a letter")
        if self.type in ("secret", "password"):
            raise ValueError(
                "type: a secret does not belong in arguments, which everybody on the host can "
                'read; let the program take it from its environment: env = ["NAME"]'
            )
        if self.type not in TYPES:
            raise ValueError(f"type: {named(self.type)} is not a type; {nearest(self.type, TYPES)}")
        if (self.type == "choice") is not bool(self.choices):
            raise ValueError("choices: belong to an input of type choice, and it wants some")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern: not a regular expression: {error}") from None
        if self.default:
            try:
                self.value(self.default)
            except Wrong as wrong:
                raise ValueError(f"default: {wrong.message}") from None

    @property
    def label(self) -> str:
        """What it is called when it is asked for."""
        return self.title or self.name

    @property
    def hint(self) -> str:
        """What a value looks like, in a few words."""
        kinds = {"int": "a whole number", "duration": '"90s", "5m"', "text": self.pattern}
        return ", ".join(self.choices) if self.choices else kinds.get(self.type, "")

    def value(self, text: str) -> str:
        """`text` as it may be put in. Raises Wrong, which says what would be right."""
        if not text:
            raise Wrong("wants a value", self.hint)
        if not text.isprintable() or len(text) > LONGEST:
            raise Wrong(f"one printable line of at most {LONGEST:,} characters", self.hint)
        if self.type == "int" and not _INT.fullmatch(text):
            raise Wrong(f"{named(text)} is not a whole number")
        if self.type == "choice" and text not in self.choices:
            raise Wrong(f"{named(text)} is not one of them", nearest(text, self.choices))
        if self.type == "duration":
            duration(text)
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise Wrong(f"{named(text)} does not look like {self.pattern}")
        return text


def check_inputs(
    inputs: Sequence[Input], given: Mapping[str, str], also: Iterable[str] = ()
) -> None:
    """Raises ValueError (`inputs: ...`, `set: ...`) for two of one name, and for values in `given`
    that no input takes. `also` are other names that are taken."""
    names = [one.name for one in inputs]
    for name in names:
        if names.count(name) > 1 or name in also:
            raise ValueError(f"inputs: {name} is declared twice")
    for name, text in given.items():
        one = next((one for one in inputs if one.name == name), None)
        if one is None:
            raise ValueError(f"set: {named(name)} is not an input; {nearest(name, names)}")
        try:
            one.value(text)
        except Wrong as wrong:
            raise ValueError(f"set: {name}: {wrong.message}") from None


def asked(inputs: Sequence[Input], given: Mapping[str, str]) -> tuple[Input, ...]:
    """Those that the config has not given a value already."""
    return tuple(one for one in inputs if one.name not in given)


def answered(inputs: Sequence[Input], values: Mapping[str, str]) -> dict[str, str]:
    """A checked value of every input, defaults where none is given.

    Raises Wrong, which names the input, for one that is missing, wrong or nobody's.
    """
    names = [one.name for one in inputs]
    for name in values:
        if name not in names:
            takes = nearest(name, names) if names else "it asks for nothing"
            raise Wrong(f"{named(name)} is not an input", takes)
    found = {}
    for one in inputs:
        text = values.get(one.name) or one.default
        try:
            found[one.name] = one.value(text)
        except Wrong as wrong:
            raise Wrong(f"{one.name}: {wrong.message}", wrong.hint) from None
    return found


def places(template: str) -> Iterator[str]:
    """The names of the inputs in a template.

    >>> list(places("deployment/{app}")), list(places("jsonpath={.spec.replicas}"))
    (['app'], [])
    """
    return (match[1] for match in PLACE.finditer(template))


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with the values in it; what stands in a value is never read again.

    >>> filled("deployment/{app}", {"app": "{app}"})
    'deployment/{app}'
    """
    return PLACE.sub(lambda match: values[match[1]], template)
