"""`warroom drill`: a real stack on this machine, something going wrong in it, and the console."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from warroom.cli.common import LOOK, Loaded, Look, fail, refuse_without_terminal, with_session
from warroom.config.load import read
from warroom.config.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from warroom.domain.incident import Incident
    from warroom.drill.run import Drill
    from warroom.engine.session import Session

_TITLE: Final = "Drill: {}"


@click.command()
@click.argument("scenario", required=False)
@click.option("--list", "as_list", is_flag=True, help="The scenarios there are.")
@click.option("--theme", default="", metavar="NAME")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--folder", metavar="DIR", help="Where the drill keeps its incident.")
@click.option(
    "--no-console", is_flag=True, help="Start the stack, print its config, wait for Enter."
)
def drill(
    scenario: str | None,
    as_list: bool,
    theme: str,
    ascii_only: bool,
    folder: str | None,
    no_console: bool,
) -> None:
    """Open the console on a small real stack with a SCENARIO going wrong in it."""
    from warroom.drill.run import DEFAULT, SCENARIOS

    if as_list:
        for name, what in SCENARIOS.items():
            click.echo(f"{name:<16} {what}")
        return
    scenario = scenario or DEFAULT
    if scenario not in SCENARIOS:
        fail(f'no scenario is called "{scenario}"; {nearest(scenario, SCENARIOS)}')
    if not no_console:
        refuse_without_terminal()
    given = click.get_current_context().find_root().meta[LOOK]
    look = replace(given, theme=theme or given.theme, ascii_only=ascii_only or given.ascii_only)
    place = Path(folder).absolute() if folder else _folder()
    raise SystemExit(_drill(place, scenario, None if no_console else look))


def _drill(place: Path, scenario: str, look: Look | None) -> int:
    from warroom.drill.run import DrillFailed, start

    click.echo("starting a small real stack on this machine…", err=True)
    loop = _Loop()
    try:
        running: Drill = loop.run(start(place, scenario))
    except DrillFailed as error:
        loop.stop()
        fail(str(error), 1)
    try:
        return _play(running, look)
    finally:
        click.echo("stopping what the drill started…", err=True)
        loop.run(running.stop())
        loop.stop()


def _play(running: Drill, look: Look | None) -> int:
    """The console (or a pause, without one) on a running drill; then where its record is."""
    from warroom.cli.console import show
    from warroom.drill.run import SCENARIOS

    for system, why in running.missing.items():
        click.echo(f"  {system}: {why}", err=True)
    document = read(running.config_path)
    loaded, place = Loaded(document.settled()), running.config_path.parent
    _open_incident(loaded, SCENARIOS[running.playing])
    status = 0
    try:
        if look is not None:
            os.chdir(place)  # what the console exports belongs to the drill
            os.environ.update(_environment(loaded))
            status = show(document, replace(look, missing=running.missing))
        else:
            click.echo(running.config_path)
            click.prompt("Enter ends the drill", default="", show_default=False, err=True)
    finally:
        _leave_postmortem(loaded, place)
    return status


def _environment(loaded: Loaded) -> dict[str, str]:
    """What the commands of the drill's runbook find its systems by."""
    found: dict[str, str] = {}
    for probe in loaded.settings.probes:
        if probe.kind == "docker" and "socket" in probe.options:
            found["DOCKER_HOST"] = f"unix://{probe.options['socket']}"
        url = str(probe.options.get("url", "")) if probe.kind == "redis" else ""
        if url.startswith("unix://"):
            found["REDIS_SOCKET"] = url.removeprefix("unix://").partition("?")[0]
    return found


def _open_incident(loaded: Loaded, what: str) -> None:
    async def begin(session: Session) -> Incident:
        found = await session.resume()
        return found or await session.begin(_TITLE.format(what), loaded.settings.scheme.names[2])

    with_session(loaded, begin)


def _leave_postmortem(loaded: Loaded, place: Path) -> None:
    """The incident stays; so does what can be said of it so far."""
    from warroom.engine.export import USUAL, Material, material, write

    async def made(session: Session) -> Material:
        await session.resume()
        return await material(session, loaded.settings, USUAL, books=loaded.books)

    click.echo(f"the incident goes on in {place}", err=True)
    written = write(with_session(loaded, made), USUAL.forms, place / "post-mortem.md")
    click.echo(f"its post-mortem so far: {written[0]}", err=True)


def _folder() -> Path:
    import platformdirs

    name = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{os.getpid()}"
    return platformdirs.user_state_path("warroom") / "drills" / name


class _Loop:
    """An event loop in a thread: the drill goes on while the console has the main one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="drill", daemon=True)
        self._thread.start()

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine there and wait for what it gives."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(doing, self._loop)
        return future.result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
