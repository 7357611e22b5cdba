"""The answers to what an action asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warroom.config.inputs import Input, answered
from warroom.config.scalars import Wrong
from warroom.domain.text import harmless
from warroom.mitigations.base import MitigationRefused


def answers(inputs: Sequence[Input], values: Mapping[str, str]) -> dict[str, str]:
    """Every input's value. Raises MitigationRefused, with what would be right, for a wrong one."""
    try:
        return answered(inputs, values)
    except Wrong as wrong:
        hint = f" ({wrong.hint})" if wrong.hint else ""
        raise MitigationRefused(harmless(f"{wrong.message}{hint}")) from None
