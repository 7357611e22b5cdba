"""`warroom` as a process of its own: what it prints, and with which status it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

WARROOM: Final = (sys.executable, "-m", "warroom")
CALM: Final = """
[[check]]
id = "machine.load"
kind = "machine"
metric = "load_per_cpu"
warn = 1e6
message = "loaded"

[[check]]
id = "machine.cpu"
kind = "machine"
metric = "cpu_percent"
warn = 1e6
message = "busy"
"""
"""For a config: this machine is well, however much the tests make it work."""
_REPOSITORY: Final = Path(__file__).parents[2]
_OWN: Final = ("DOCKER_HOST", "DATABASE_URL", "REDIS_URL", "WARROOM_CONFIG", "NO_COLOR", "TMUX")


def home(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of somebody who has never used warroom and lives in `folder`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OWN and not name.startswith(("XDG_", "PG", "TEXTUAL"))
    }
    own = {"HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return kept | own | {"PYTHONPATH": str(_REPOSITORY)} | dict(more or {})


@dataclass(frozen=True)
class Answer:
    """How a command ended. `out` is stdout, `err` stderr."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, which must be one JSON document."""
        return json.loads(self.out)


class Shell:
    """Runs `warroom` in `folder`, without a terminal. `config` is given with every command."""

    def __init__(self, folder: Path, config: Path | None = None) -> None:
        self.folder, self.config = folder, config

    def __call__(
        self,
        *args: str,
        status: int | None = 0,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        within: float = 120.0,
    ) -> Answer:
        """What `warroom ARGS` answers. It must end with `status` (None: with any)."""
        named = ["--config", str(self.config)] if self.config else []
        done = subprocess.run(
            [*WARROOM, *args, *named],
            cwd=self.folder,
            env=home(self.folder, env),
            input=stdin,
            capture_output=True,
            timeout=within,
            check=False,
        )
        answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert status is None or answer.status == status, answer
        return answer


def written(folder: Path, *parts: str, name: str = "warroom.toml") -> Path:
    """A config of these parts with a journal of its own, as only its owner may write it."""
    file = folder / name
    file.write_text("\n".join([f'[journal]\npath = "{folder}/journal.db"', *parts]))
    file.chmod(0o600)
    return file


def output_of(argv: Sequence[str | Path], **options: Any) -> str:
    """What a reference program prints: psql, redis-cli, docker, curl, awk."""
    done = subprocess.run(
        [str(part) for part in argv], capture_output=True, text=True, timeout=120, check=False,
        **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
