"""What to take home: formats, template, readers, path. Enter writes what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from warroom.engine.export import Choice
from warroom.reports import FORMATS, OUTSIDE
from warroom.tui.screens.dialog import Dialog
from warroom.tui.widgets.lines import Line, Lines, Span, spread

PATH: Final = "path"
"""What the dialog gives when another path is to be typed."""
_KEYS: Final[Mapping[str, str]] = {
    "m": "md", "h": "html", "j": "json", "c": "csv", "b": "bundle",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written, and where. `template` is empty for the config's own."""

    choice: Choice
    path: Path

    def toggled(self, form: str) -> Plan:
        """With `form`, or without it; one format always remains.

        >>> Plan(Choice(("md",)), Path("x")).toggled("html").choice.forms
        ('md', 'html')
        """
        had = self.choice.forms
        forms = tuple(f for f in FORMATS if (f in had) != (f == form)) or had
        external = self.choice.external and set(forms) <= OUTSIDE
        return replace(self, choice=replace(self.choice, forms=forms, external=external))

    def turned(self) -> Plan:
        """For the other readers; what holds the whole record is left out for those outside."""
        external = not self.choice.external
        forms = tuple(f for f in self.choice.forms if not external or f in OUTSIDE) or ("md",)
        return replace(self, choice=replace(self.choice, forms=forms, external=external))

    def with_template(self, names: Sequence[str]) -> Plan:
        """With the template after this one; after the last the config's own again."""
        order = ["", *names]
        here = order.index(self.choice.template) if self.choice.template in order else 0
        following = order[(here + 1) % len(order)]
        return replace(self, choice=replace(self.choice, template=following))


class ExportBody(Lines):
    """The plan, a line for each thing that can be changed."""

    def __init__(self, plan: Plan, templates: Mapping[str, str], usual: str) -> None:
        super().__init__(id="export")
        self.plan, self.templates, self.usual = plan, templates, usual

    def rows(self) -> list[tuple[str, list[Span]]]:
        """The key and the content of every line."""
        choice, path = self.plan.choice, self.plan.path
        rows = []
        for key, form in _KEYS.items():
            on = form in choice.forms
            shut = choice.external and form not in OUTSIDE
            style = "dim" if shut else "bold" if on else ""
            why = "holds the whole record: not for readers outside" if shut else FORMATS[form]
            mark = (
                ("[x]" if self.ascii_only else "☑") if on else ("[ ]" if self.ascii_only else "☐")
            )
            rows.append((key, [(f"{mark} {form:<7}", style), (why, "dim")]))
        usual = "external" if choice.external else self.usual
        name = choice.template or usual
        about = self.templates.get(name, "a file of the team's own")
        readers = "external" if choice.external else "internal"
        whom = "only what was chosen, names and addresses masked" if choice.external else "the team"
        return [
            *rows,
            ("t", [(f"template  {name}", "bold"), (f"  {about}", "dim")]),
            ("a", [(f"audience  {readers}", "bold"), (f"  {whom}", "dim")]),
            ("p", [(f"path      {path.name}", "bold"), (f"  in {path.parent}", "dim")]),
        ]

    def build(self, width: int, height: int) -> list[Line]:
        h, v, corners = ("-", "|", "++++") if self.ascii_only else ("━", "┃", "┏┓┗┛")
        head: list[Span] = [(corners[0] + h, "focus"), (" export ", "title accent")]
        lines: list[Line] = [spread(head, [(h + corners[1], "focus")], width, h, "focus")]
        for key, content in self.rows()[: height - 2]:
            inner = spread([(f" {key} ", "key"), *content], (), width - 4)
            lines.append([(v + " ", "focus"), *inner, (" " + v, "focus")])
        hint: list[Span] = [(corners[2] + h, "focus"), (" enter write   esc cancel ", "dim")]
        lines.append(spread(hint, [(h + corners[3], "focus")], width, h, "focus"))
        return lines

    def on_click(self, event: events.Click) -> None:
        rows = self.rows()
        screen = self.screen
        if 0 < event.y <= len(rows) and isinstance(screen, ExportDialog):
            screen.change(rows[event.y - 1][0])


class ExportDialog(Dialog[tuple[Plan, str] | None]):
    """Gives the plan to write, with PATH when its path is to be typed first; None: nothing."""

    DEFAULT_CSS = """
    ExportDialog { align: center middle; background: $background 60%; }
    ExportDialog > ExportBody { width: 90%; max-width: 100; height: 10; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "cancel"),
        Binding("enter", "write", "write"),
        *(Binding(key, f"change('{key}')", "change") for key in (*_KEYS, "t", "a", "p")),
    ]

    def __init__(self, plan: Plan, templates: Mapping[str, str], usual: str) -> None:
        super().__init__()
        self._body = ExportBody(plan, templates, usual)

    def compose(self) -> ComposeResult:
        yield self._body

    def action_write(self) -> None:
        self.dismiss((self._body.plan, ""))

    def action_change(self, key: str) -> None:
        self.change(key)

    def change(self, key: str) -> None:
        """What the line of that key stands for is changed."""
        plan = self._body.plan
        if key == "p":
            self.dismiss((plan, PATH))
            return
        if key in _KEYS:
            shut = plan.choice.external and _KEYS[key] not in OUTSIDE
            plan = plan if shut else plan.toggled(_KEYS[key])
        else:
            plan = plan.turned() if key == "a" else plan.with_template(list(self._body.templates))
        self._body.plan = plan
        self._body.changed()
