"""Deadlines in words: never by colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warroom.domain.clock import hms, span
from warroom.tui.widgets.lines import Span

if TYPE_CHECKING:
    from warroom.domain.timers import Timer


def counted(seconds: float) -> str:
    """`02:19`, or `01:02:19` from an hour on; whether it is past has to be said beside it.

    >>> counted(139.9), counted(-3739)
    ('02:19', '01:02:19')
    """
    return hms(abs(seconds)).removeprefix("00:")


def urgency(timer: Timer) -> str:
    """For the header: `update due 02:19`, `update OVERDUE 00:07`."""
    name = "escalate" if timer.id.startswith("escalation") else timer.label
    word = "OVERDUE" if timer.overdue else "snoozed" if timer.snoozed_until else "due"
    return f"{name} {word} {counted(timer.left)}"


def short(timer: Timer) -> Span:
    """For the sidebar, beside the timer's label: its words and their style."""
    if timer.met_in is not None:
        return f"met in {span(timer.met_in)}", "degraded" if timer.late else "ok"
    if timer.overdue:
        return f"late {counted(timer.left)}", "alarm"
    return f"{'z ' if timer.snoozed_until else ''}{hms(timer.left)}", "bold"
