"""The drill's stack with an open incident, and configs for the console on it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks import process

WARROOM: Final = str(Path(sys.executable).with_name("warroom"))


@dataclass(frozen=True, slots=True)
class Stack:
    """A running drill: its `config`, and its tables."""

    config: Path
    tables: dict[str, Any]
    said: str

    def option(self, kind: str, name: str) -> str:
        """What the probe of that kind has as `name`; empty without such a probe."""
        probes = (probe for probe in self.tables["probe"] if probe["kind"] == kind)
        return next((str(probe.get(name, "")) for probe in probes), "")

    @property
    def access_log(self) -> str:
        """The path of a log of requests."""
        return next(str(log["path"]) for log in self.tables["log"] if log.get("access"))

    @property
    def healths(self) -> list[str]:
        """Names of the endpoints."""
        return [str(p["name"]) for p in self.tables["probe"] if p["kind"] == "http"]

    def with_log(self, folder: Path, name: str, path: Path) -> Path:
        """A config of the same stack that follows one more access log."""
        config = folder / f"{name}.toml"
        more = f'\n[[log]]\nname = "{name}"\npath = "{path}"\naccess = true\n'
        return private(config, self.config.read_text("utf-8") + more)


def one_log(folder: Path, path: Path) -> Path:
    """A config of nothing but one log, with a journal of its own."""
    text = f'[journal]\npath = "{folder / "one.db"}"\n\n[[log]]\nname = "one"\npath = "{path}"\n'
    return private(folder / "one.toml", text)


def private(config: Path, text: str) -> Path:
    config.touch(mode=0o600)
    config.write_text(text, "utf-8")
    return config


@contextmanager
def standing(folder: Path) -> Iterator[Stack]:
    """A drill in `folder`, ended afterwards. Raises CommandFailed."""
    argv = [WARROOM, "drill", "--no-console", "--folder", str(folder)]
    with (folder.parent / "drill.said").open("w+") as said:
        child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
        assert child.stdin is not None and child.stdout is not None
        line = child.stdout.readline().strip()
        said.seek(0)
        told = said.read()
        if not line:
            raise process.CommandFailed(f"the drill did not start: {told.strip()}")
        config = Path(line)
        try:
            yield Stack(config, tomllib.loads(config.read_text("utf-8")), told)
        finally:
            child.communicate("\n")  # Enter ends it
