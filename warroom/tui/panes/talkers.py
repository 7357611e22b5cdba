"""Top talkers: who asks, how much, since when; and of a part of the requests, what they ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from warroom.tui.panes.base import TablePane, facts_lines
from warroom.tui.widgets.lines import Line, Span, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warroom.tui.widgets.table import Item


class TalkersPane(TablePane):
    """Requests a second by client, range, path, status and more; of all, or of those that the
    chips above the rows let through."""

    title = "top talkers"
    kinds: ClassVar[frozenset[str]] = frozenset({"talkers"})
    offers: ClassVar[tuple[str, ...]] = ("group", "unfold", "lines")

    def __init__(self, name: str, sources: Sequence[str] = ()) -> None:
        super().__init__(name, sources)
        self._grown = False
        self._topmost = True
        """Whether the cursor is on whoever asks most, and not with one of them."""
        self._left: tuple[str, str] | None = None

    def body(self, width: int, height: int) -> list[Line]:
        grown = self.room is not None and self.room.talkers.grown
        if self.choice.cursor != self._left:  # somebody moved it
            self._topmost = self.choice.index == 0
        if grown != self._grown or self._topmost:  # a row that sinks must not take the view along
            self._grown, self._topmost = grown, True
            self.choice = replace(self.choice, cursor=None, index=0, offset=0)
        lines = super().body(width, height)
        self._left = self.choice.cursor
        return lines

    def ends(self, *, last: bool) -> None:
        super().ends(last=last)
        self._topmost = not last

    def group_next(self) -> None:
        """Group by the next thing."""
        if self.room is not None:
            self.room.talkers.group_next()
            self._anew()

    def group(self, word: str) -> str:
        """Group by what is named; what is wrong with it, or nothing."""
        wrong = self.room.talkers.group(word) if self.room is not None else ""
        if not wrong:
            self._anew()
        return wrong

    def window_next(self) -> None:
        """Count over the next longer window."""
        if self.room is not None:
            self.room.talkers.window_next()
            self.changed()

    def only(self) -> bool:
        """Only the requests of the selected row from now on; whether there is more to know."""
        item = self.selected
        if item is None or self.room is None or not self.room.talkers.drill(item.row.key):
            return False
        self._anew()
        return True

    def back(self) -> bool:
        """Look at more again; whether there was less than everything."""
        if self.room is None or not self.room.talkers.back():
            return False
        self._anew()
        return True

    def unfilter(self) -> bool:
        return super().unfilter() or self.back()

    def requests(self) -> str:
        """The selected row's requests, as a filter of the logs; empty when nothing is selected."""
        from warroom.logs.drill import Chip

        item = self.selected
        if item is None or self.room is None:
            return ""
        talkers = self.room.talkers
        return " ".join(map(str, (*talkers.chips, Chip(talkers.by, item.row.key))))

    def picked(self) -> tuple[str, str]:
        """With every figure: they are what is worth a line of the timeline."""
        chosen = [item for item in self._shown if item.id in self.choice.marks]
        chosen = chosen or ([self.selected] if self.selected else [])
        return self.heading, "\n".join(map(_figures, chosen))

    def _anew(self) -> None:
        """Other rows will come: the cursor begins at the top."""
        self.choice = replace(
            self.choice, cursor=None, index=0, offset=0, marks=frozenset(), filter=""
        )
        self.changed()

    def head(self, width: int, height: int) -> list[Line]:
        chips = self.room.talkers.chips if self.room is not None else ()
        path = " › ".join(map(str, chips)) if not self.ascii_only else " > ".join(map(str, chips))
        only: list[Line] = [[("only ", "dim"), (shortened(path, max(1, width - 6)), "accent")]]
        styles = {"5xx": "down", "4xx": "degraded", "places": "degraded"}
        facts = [(n, v, styles.get(n, "")) for s in self.samples for n, v in s.facts.items()]
        return [*(only if chips else ()), *facts_lines(facts, width)[:2]]

    def notes(self) -> list[Span]:
        if self.room is None:
            return super().notes()
        talkers = self.room.talkers
        grown = ", grown most first" if talkers.grown and not self.choice.sort else ""
        return [(f"by {talkers.by}, {talkers.window}{grown}", "accent"), *super().notes()]

    def empty(self) -> str:
        if self.choice.filter:
            return super().empty()
        if self.room is not None and self.room.talkers.chips:
            if any("reading" in one.facts for one in self.samples):
                return "counting the lines that are kept…"
            return "no such request in this window"
        if self.room is not None and any("not known" in one.facts for one in self.samples):
            from warroom.engine.talker_rows import WORDS

            return f"no request says its {WORDS[self.room.talkers.by]}: their format has none"
        return "no request in an access log yet"


def _figures(item: Item) -> str:
    return str(item.row.data.get("figures", item.row.name))
