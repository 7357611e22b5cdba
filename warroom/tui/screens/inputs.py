"""Asks for what an action wants to know, one line or choice after the other, before its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warroom.config.inputs import Input
from warroom.config.scalars import Wrong
from warroom.domain.text import harmless
from warroom.tui.screens.dialogs import Option, ask_line, choose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.screen import Screen

    from warroom.engine.executor import Action


async def ask_inputs(
    screen: Screen[Any], action: Action, known: Mapping[str, str]
) -> dict[str, str] | None:
    """A right value for every input of `action`, those that are `known` unasked; None when one was
    left with Escape."""
    values = dict(known)
    for one in action.spec.inputs:
        if one.name in values:
            continue
        value = await (_chosen if one.type == "choice" else _typed)(screen, action, one)
        if value is None:
            return None
        values[one.name] = value
    return values


async def _chosen(screen: Screen[Any], action: Action, one: Input) -> str | None:
    options = [Option(choice, harmless(choice)) for choice in one.choices]
    return await choose(screen, f"{action.title}: {one.label}", options, at=one.default)


async def _typed(screen: Screen[Any], action: Action, one: Input) -> str | None:
    """One line, asked for again with what is wrong until it is right."""
    text, wrong = one.default, ""
    while True:
        label = f"{one.label}: {wrong}" if wrong else one.label
        typed = await ask_line(screen, label, text, placeholder=one.hint or action.title)
        if typed is None:
            return None
        try:
            return one.value(typed.strip())
        except Wrong as error:
            text, wrong = typed, harmless(error.message)
