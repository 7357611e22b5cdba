"""The real compose programs, with a project of its own for the tests' engine.

`docker compose` is the plugin (version 2), `docker-compose` the program of its own. Each call is
written down on its way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from tests.support.services import DockerEngine

PROGRAMS: Final = ("docker compose", "docker-compose")
_ADVICE: Final = "scripts/services.sh installs it"
_SHIM: Final = """\
#!/bin/sh
case " $* " in {which}) {what} ;; esac
exec "{real}" "$@"
"""
_NO_PLUGIN: Final = "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1"
SLEEP: Final = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
_FILE: Final = """\
version: "3.5"
services:
  api:
    image: {image}
    command: ["sh", "-c", "{command}"]
    network_mode: none
  worker:
    image: {image}
    command: ["sh", "-c", "{sleep}"]
    network_mode: none
"""


@dataclass(frozen=True)
class Compose:
    """`called` is the program and `real` where it is, `path` what PATH is to begin with, `file` the
    project's file."""

    called: str
    engine: DockerEngine
    project: str
    folder: Path
    real: str

    @property
    def path(self) -> str:
        return str(self.folder / "bin")

    @property
    def file(self) -> Path:
        return self.folder / "compose.yaml"

    @property
    def told(self) -> list[str]:
        """The calls of the program, its name first, since the project was written."""
        file = self.folder / "told"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def acts(self) -> list[str]:
        """Those of the calls that change something."""
        return [line for line in self.told if " up " in line]

    def write(self, command: str = SLEEP) -> None:
        """The project: `api`, which runs `command`, and `worker`."""
        text = _FILE.format(image=self.engine.image, command=command, sleep=SLEEP)
        self.file.write_text(text)
        self.file.chmod(0o644)

    def __call__(self, *words: str) -> str:
        """What the program says, called by us: nothing is written down. Raises AssertionError."""
        host = ("--host", f"unix://{self.engine.socket}")
        _, *rest = self.called.split()
        argv = [self.real, *host, *rest, "--project-name", self.project]
        argv += ["--file", str(self.file), *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def up(self, *words: str) -> str:
        """Starts `api`, and gives the name of its first container."""
        self("up", "--detach", *words, "api")
        return self.names()[0]

    def names(self, service: str = "api") -> list[str]:
        """The service's containers, by number."""
        wanted: list[Any] = [f"label=com.docker.compose.{what}" for what in (
            f"project={self.project}", f"service={service}")]  # fmt: skip
        words = [word for one in wanted for word in ("--filter", one)]
        return sorted(self.engine.docker("ps", "-a", *words, "--format", "{{.Names}}").split())

    def end(self) -> None:
        """Removes whatever there is of the project."""
        label = f"label=com.docker.compose.project={self.project}"
        found = self.engine.docker("ps", "-aq", "--filter", label).split()
        if found:
            self.engine.docker("rm", "--force", "--volumes", *found)


def compose(called: str, engine: DockerEngine, project: str, folder: Path) -> Compose:
    """The program that is called so, as if the other one were not installed."""
    first, *rest = called.split()
    real = _real(first)
    looked = subprocess.run([real, *rest, "version"], capture_output=True, check=False)
    if looked.returncode:
        _missing(called)
    programs, told = folder / "bin", folder / "told"
    programs.mkdir()
    write = f'echo "$*" >>"{told}"'
    _shim(programs, "docker", '*" compose "*', write if rest else _NO_PLUGIN)
    if not rest:
        _shim(programs, first, "*", write)
    made = Compose(called, engine, project, folder, real)
    made.write()
    return made


def _shim(folder: Path, name: str, which: str, what: str) -> None:
    """A program that does `what` with calls like `which`, and then is the real one."""
    shim = folder / name
    shim.write_text(_SHIM.format(which=which, what=what, real=_real(name)))
    shim.chmod(0o755)


def _real(name: str) -> str:
    found = shutil.which(name)
    return found or _missing(name)


def _missing(name: str) -> NoReturn:
    if os.environ.get("REQUIRE_SERVICES") == "all":
        pytest.fail(f"REQUIRE_SERVICES=all, but there is no {name}: {_ADVICE}", pytrace=False)
    pytest.skip(f"there is no {name}: {_ADVICE}")
