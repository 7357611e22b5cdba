"""Imports run one way, and first paint pays for nothing but Textual and the config."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from warroom.config.registry import members

REPOSITORY: Final = Path(__file__).parents[2]
HEAVY: Final = {
    *("textual", "rich", "asyncssh", "aiodocker", "asyncpg", "redis", "httpx", "psutil"),
    *("jinja2", "cryptography", "markdown_it", "aiohttp"),
}
ROOMS: Final = (
    "probes",
    "logs",
    "mitigations",
    "runbooks",
    "reports",
    "journal",
    "channels",
    "hosts",
)
_LOADER: Final = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def light_modules() -> list[str]:
    """What the console may import before its first paint."""
    rooms = [f"warroom.{room}" for room in ROOMS]
    specs = [
        f"{room}.{name}"
        for room in ("warroom.probes", "warroom.mitigations", "warroom.channels")
        for name in members(importlib.import_module(room))
    ]
    bases = [
        f"{room}.base"
        for room in rooms
        if (REPOSITORY / room.replace(".", "/") / "base.py").exists()
    ]
    pure = [
        module.name
        for package in ("warroom.domain", "warroom.config")
        for module in pkgutil.iter_modules(
            importlib.import_module(package).__path__, prefix=f"{package}."
        )
        if module.name != "warroom.config.positions"  # the parser that places errors
    ]
    return [*pure, *rooms, *bases, *specs, "warroom.drill.run"]


@pytest.mark.parametrize("module", light_modules())
def test_a_fresh_interpreter_imports_no_client_library_with(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADER, module], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert HEAVY & set(json.loads(done.stdout)) == set()


def test_a_plain_count_does_not_pay_for_the_parser_of_the_command_line(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text('203.0.113.7 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n')
    argv = [sys.executable, "-X", "importtime", "-m", "warroom", "top", "--by", "ip", str(log)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "100.0%", "203.0.113.7"]
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "warroom.logs.top" in imported
    assert {name.partition(".")[0] for name in imported} & {"click", *HEAVY} == set()


def test_the_contracts_of_the_house_hold() -> None:
    contracts = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [contracts, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert f"{len(declared['contracts'])} kept, 0 broken" in done.stdout
