"""A mitigation of every kind there is, aimed at targets that write down whatever reaches them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.cli import written
from warroom.engine.members import mitigation_kinds

KEYS: Final = "αβγδεζηθικλμνξοπρστυφχψωабвгдежзийклмнопрстуфхцчшщъыьэюя"
"""One for each kind: no command has one of them."""
_PROGRAMS: Final = ("systemctl", "pm2", "nginx", "docker", "docker-compose", "kubectl")


@dataclass
class Targets:
    """`reached` is what came, in order: `tcp` or `unix` with the first bytes, or a program."""

    folder: Path
    port: int = 0
    heard: list[str] = field(default_factory=list)

    @property
    def reached(self) -> list[str]:
        file = self.folder / "programs"
        return self.heard + (file.read_text().splitlines() if file.exists() else [])

    @property
    def path(self) -> str:
        """What PATH is to begin with."""
        return str(self.folder / "bin")

    def options(self, kind: str) -> str:
        """The keys of a `[[mitigation]]` of that kind that lead here."""
        if kind == "command.run":
            return f'argv = ["{self.folder}/bin/kubectl", "delete", "everything"]'
        family = kind.partition(".")[0]
        nginx = f'nginx = ["{self.path}/nginx"]'
        more = {
            "pm2.scale": "\nto = 4",
            "redis.delete_pattern": '\npattern = "cart:*"',
            "docker.disconnect": '\nnetwork = "shop"',
            "docker.connect": '\nnetwork = "shop"',
            "docker.scale": "\nby = 1",
        }.get(kind, "")
        shop = {
            "docker.prune": "",
            "docker.bulk": '\nverb = "restart"\ncontainers = ["shop-api"]',
        }.get(kind, '\ncontainer = "shop-api"')
        own = {
            "docker": f'socket = "{self.folder}/engine.sock"{shop}',
            "http": f'url = "http://127.0.0.1:{self.port}/maintenance"',
            "nginx": nginx
            if kind == "nginx.reload"
            else f'include = "{self.folder}/warroom.conf"\n{nginx}',
            "pm2": 'app = "api"',
            "postgres": f'dsn = "postgresql://postgres@127.0.0.1:{self.port}/shop"',
            "redis": f'url = "redis://127.0.0.1:{self.port}/0"',
            "systemd": 'unit = "shop.service"',
        }[family]
        return f"{own}{more}"

    def config(self, *more: str) -> Path:
        """A config with every kind, each titled as its kind is called."""
        kinds = mitigation_kinds()
        assert len(kinds) < len(KEYS)
        parts = [
            f'[[mitigation]]\nkind = "{kind}"\nkey = "{key}"\ntitle = "{kind}"\n'
            f"{self.options(kind)}"
            for kind, key in zip(kinds, KEYS, strict=False)
        ]
        return written(self.folder, *more, *parts)


@asynccontextmanager
async def targets(folder: Path) -> AsyncIterator[Targets]:
    """Targets that listen, and programs that write down that they were called."""
    made = Targets(folder)
    programs = folder / "bin"
    programs.mkdir()
    for name in _PROGRAMS:
        file = programs / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> "{folder}/programs"\n')
        file.chmod(0o755)
    (folder / "warroom.conf").write_text("")

    def listener(what: str) -> object:
        async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            made.heard.append(f"{what} {await reader.read(64)!r}")
            writer.close()

        return heard

    tcp = await asyncio.start_server(listener("tcp"), "127.0.0.1", 0)  # type: ignore[arg-type]
    unix = await asyncio.start_unix_server(listener("unix"), folder / "engine.sock")  # type: ignore[arg-type]
    made.port = tcp.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        for server in (tcp, unix):
            server.close()
            await server.wait_closed()


def keys_of(config_kinds: list[str]) -> Mapping[str, str]:
    """By kind, its key."""
    return dict(zip(config_kinds, KEYS, strict=False))
