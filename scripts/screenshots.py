"""Makes `screenshots/` anew: the console on a drill's real stack, as SVG and PNG.

Run by `make screenshots`. PNG needs rsvg-convert (Debian: librsvg2-bin) and a monospace font with
block characters (fonts-dejavu-core).
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.tui.page import RoomPage, opened  # noqa: E402
from warroom.domain.incident import Role, Status  # noqa: E402
from warroom.drill import run as drill  # noqa: E402
from warroom.tui.evidence import of_pane  # noqa: E402

TARGET: Final = ROOT / "screenshots"
FONT: Final = "DejaVu Sans Mono"
WARM_UP_S: Final = 14.0
_FACES: Final = re.compile(r"@font-face \{.*?\}", re.DOTALL)


_LEAD: Final = re.compile(
    r'x="([\d.]+)" (y="[\d.]+") textLength="([\d.]+)"([^>]*)>((?:&#160;)+)([^<]+)</text>'
)


def _shifted(match: re.Match[str]) -> str:
    """Leading blanks as a place further right: some renderers drop them."""
    x, y, length, more, blanks, text = match.groups()
    count = len(blanks) // len("&#160;")
    cells = count + len(re.sub("&#?[a-z0-9]+;", "x", text))
    step = float(length) / cells
    x, length = f"{float(x) + count * step:.1f}", f"{float(length) - count * step:.1f}"
    return f'x="{x}" {y} textLength="{length}"{more}>{text}</text>'


async def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="warroom-shots-") as folder:
        running = await drill.start(Path(folder))
        try:
            await _story(running.config_path)
            for theme in ("light", "colour-blind"):
                async with opened(running.config_path, size=(160, 48), theme=theme) as page:
                    await asyncio.sleep(8)
                    await _take(page, f"room-{theme}")
            async with opened(running.config_path, size=(80, 24)) as page:
                await page.sees("checkout", within=30)
                await asyncio.sleep(6)
                await _take(page, "small-80x24")
                await page.go("postgres")
                await _take(page, "small-80x24-postgres")
            async with opened(running.config_path, size=(120, 40)) as page:
                await asyncio.sleep(8)
                await _take(page, "room-120x40")
        finally:
            await running.stop()


async def _story(config: Path) -> None:
    async with opened(config, size=(160, 48)) as page:
        session = page.room.session
        await session.begin("Checkout answers 503", "P2")
        await asyncio.sleep(WARM_UP_S / 2)
        await session.assign(Role.COMMANDER, "ines")
        editor, before = page.room.editor, page.room.clock.now() - timedelta(minutes=6)
        await editor.add(
            "customers report failing checkouts since the deploy",
            at=before, tags=["detection", "impact"], audience="external",
        )  # fmt: skip
        await session.set_severity("P1")
        await asyncio.sleep(WARM_UP_S / 2)
        await session.set_status(Status.IDENTIFIED)
        found = await editor.add(
            "a transaction holds the row that every checkout wants",
            tags=["hypothesis"], starred=True,
        )  # fmt: skip
        for item in page.room.checklist[:2]:
            await session.tick(item.id, item.text, done=True)
        await page.go("postgres")
        await asyncio.sleep(2)
        await _take(page, "room-dark")
        for pane in page.app.room_screen.panes:
            await page.go(pane.key)
            await page.press("z")
            await asyncio.sleep(1)
            await _take(page, f"pane-{pane.key}")
            await page.press("z")
        await page.go("postgres")
        await page.press("g", "K")
        await page.sees("esc cancel", within=30)
        await _take(page, "card")
        await page.press("escape")
        await page.closes()
        await _record(page, found.seq)
        await _playbook(page)


async def _playbook(page: RoomPage) -> None:
    """The playbook beside the panes, a query of it run."""
    await page.press("ctrl+r")
    await page.sees("type to find")
    await _take(page, "playbooks")
    await page.types("checkouts")
    await page.sees("Who waits for whom")
    await page.press("a")
    await page.sees("every step that only looks")
    await _take(page, "playbook-card")
    await page.press("down", "down")
    await asyncio.sleep(1)
    await page.press("enter")
    await page.sees("done: 3 of 3 worked", within=30)
    await page.press("j", "j", "j", "j", "1")
    await asyncio.sleep(1)
    await _take(page, "playbook")
    await page.resize(80, 24)
    await asyncio.sleep(1)
    await _take(page, "small-80x24-playbook")
    await page.press("escape")


async def _record(page: RoomPage, seq: int) -> None:
    """The timeline with evidence at entry `seq`, an update, the deadlines, the help."""
    pane = next(p for p in page.app.room_screen.panes if p.key == "postgres")
    await page.room.editor.attach(seq, of_pane(pane))
    await page.press("t")
    await page.sees("timeline of")
    await _until_selected(page, "a transaction holds")
    await _take(page, "timeline")
    await page.press("escape", "U")
    await page.sees("tell whom")
    await page.press("2")
    await page.sees("ctrl+t")
    await _take(page, "update")
    await page.press("escape")
    await page.closes()
    await page.press("D")
    await page.sees("due in")
    await _take(page, "deadlines")
    await page.press("escape", "question_mark")
    await page.sees("keys and commands")
    await _take(page, "help")
    await page.press("escape")


async def _until_selected(page: RoomPage, text: str) -> None:
    """Go up in the timeline until the entry is the one shown in full."""
    for _ in range(60):
        if page.text().count(text) >= 4:  # the strip and the list, the detail and the preview
            return
        await page.press("k")
        await asyncio.sleep(0.1)
    raise AssertionError(f"not in the timeline: {text}")


async def _take(page: RoomPage, name: str) -> None:
    for pane in page.app.room_screen.panes:
        if pane.key == "machine":
            pane.filter("warroom-")  # the drill's own, whatever else runs here
    await page.pilot.pause(0.3)
    svg = page.app.export_screenshot(title="warroom")
    svg = _LEAD.sub(_shifted, _FACES.sub("", svg)).replace("Fira Code", FONT)
    file = TARGET / f"{name}.svg"
    file.write_text(svg)
    if shutil.which("rsvg-convert"):
        argv = ["rsvg-convert", "--width=1600", f"--output={file.with_suffix('.png')}", str(file)]
        subprocess.run(argv, check=True)  # noqa: ASYNC221 - nothing else runs meanwhile
    print(file.relative_to(ROOT))


if __name__ == "__main__":
    asyncio.run(main())
