"""What `pipx install .` would give works without the repository beside it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, REPOSITORY)
    (built,) = folder.glob("warroom-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `warroom` of a fresh virtual environment, its dependencies borrowed from this one."""
    venv = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--quiet", wheel)
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(packages, "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return venv / "bin" / "warroom"


def run(*argv: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in argv], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_wheel_carries_themes_checks_definitions_and_what_the_rooms_read(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("warroom/themes/", "warroom/checks/", "warroom/definitions/"):
        assert [n for n in names if n.startswith(needed) and n.endswith(".toml")], needed
    assert "warroom/drill/runbook.md" in names
    assert "warroom/py.typed" in names
    shipped = {name.removeprefix("warroom/") for name in names}
    data = [
        path.relative_to(REPOSITORY / "warroom").as_posix()
        for path in (REPOSITORY / "warroom").rglob("*")
        if path.is_file() and path.suffix not in (".pyc",)
    ]
    assert set(data) <= shipped


def test_the_installed_command_says_what_it_is(installed: Path) -> None:
    where = run(installed.with_name("python"), "-c", "import warroom; print(warroom.__file__)")
    assert str(REPOSITORY) not in where
    assert version("warroom") in run(installed, "--version")
    assert "drill" in run(installed, "--help")
