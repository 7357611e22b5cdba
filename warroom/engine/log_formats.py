"""Whether the formats that a config names for its logs are formats."""

from __future__ import annotations

from collections.abc import Sequence

from warroom.config.problems import Problem
from warroom.config.settings import LogEntry


def format_problems(logs: Sequence[LogEntry]) -> list[Problem]:
    """What is wrong with `format` in each `[[log]]`."""
    problems = []
    for entry in logs:
        if entry.format:
            from warroom.logs.formats.own import BadFormat, chosen  # most configs name none

            try:
                chosen(entry.format)
            except BadFormat as error:
                problems.append(Problem((*entry.place, "format"), str(error)))
    return problems
