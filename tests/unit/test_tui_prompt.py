"""The line that is typed into: letters cost no new arrangement, and a long text shows its end."""

from __future__ import annotations

from textual.app import App, ComposeResult

from warroom.tui.screens.prompt import Line, Typed


class Typing(App[None]):
    """A screen with one line, twenty cells wide."""

    CSS = "Input { width: 20; height: 1; border: none; padding: 0; }"

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line
        self.arranged = 0

    def compose(self) -> ComposeResult:
        yield self.line

    def on_mount(self) -> None:
        self.line.focus()

    def count(self) -> None:
        """Count from now on how often everything is arranged."""
        self.screen.screen_layout_refresh_signal.subscribe(self, self._one_more)

    def _one_more(self, _: object) -> None:
        self.arranged += 1


async def test_letters_arrange_nothing_anew() -> None:
    for line in (Line(), Typed()):
        async with Typing(line).run_test() as pilot:
            await pilot.pause()
            pilot.app.count()  # type: ignore[attr-defined]
            await pilot.press(*"level:error")
            await pilot.pause()
            assert (line.value, pilot.app.arranged) == ("level:error", 0)  # type: ignore[attr-defined]


async def test_of_a_text_that_is_too_long_the_place_of_the_cursor_is_shown() -> None:
    line = Line()
    async with Typing(line).run_test() as pilot:
        await pilot.press(*"the quick brown fox jumps over the lazy dog")
        await pilot.pause()
        assert line.render_line(0).text.rstrip().endswith("the lazy dog")
        await pilot.press("home")
        await pilot.pause()
        assert line.render_line(0).text.startswith("the quick brown fox")
        await pilot.press("end")
        await pilot.press(*["backspace"] * 13)
        await pilot.pause()
        assert line.render_line(0).text.rstrip().endswith("over")
