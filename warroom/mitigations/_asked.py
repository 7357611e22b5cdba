"""The answers to what an action asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from warroom.config.inputs import Input, answered
from warroom.config.scalars import Wrong
from warroom.domain.text import harmless
from warroom.mitigations.base import MitigationRefused

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def answers(
    inputs: Sequence[Input], values: Mapping[str, str], fixed: Mapping[str, str] = _NONE
) -> dict[str, str]:
    """Every input's value; the `fixed` ones are the config's and no answer may name them.

    Raises MitigationRefused, with what would be right, for a wrong one.
    """
    for name in values:
        if name in fixed:
            raise MitigationRefused(f"{name} is fixed by the config: {harmless(fixed[name])}")
    try:
        return answered(inputs, {**values, **fixed})
    except Wrong as wrong:
        hint = f" ({wrong.hint})" if wrong.hint else ""
        raise MitigationRefused(harmless(f"{wrong.message}{hint}")) from None
