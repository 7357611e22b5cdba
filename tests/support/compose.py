"""A compose program of our own: writes down what it is told, and does it with the docker CLI.

The real one comes from another project and is not installed everywhere. What is known of it here
was seen with docker-compose 1.29.2: the labels, `config --hash`, `up --force-recreate`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.services import DockerEngine

PROGRAMS: Final = ("docker compose", "docker-compose")
_SCRIPT: Final = """#!{python}
import json, pathlib, subprocess, sys
REAL, FOLDER = "{docker}", pathlib.Path("{folder}")
name, argv = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
if name == "docker" and "compose" not in argv:
    raise SystemExit(subprocess.call([REAL, *argv]))
if name + (" compose" if "compose" in argv else "") != "{program}":
    raise SystemExit("unknown command")
with (FOLDER / "told").open("a") as told:
    told.write(json.dumps([name, *argv]) + "\\n")
docker = [REAL, "--host", argv[argv.index("--host") + 1]]
def ask(*words):
    return subprocess.run([*docker, *words], check=True, capture_output=True, text=True).stdout
def after(flag):
    return argv[argv.index(flag) + 1]
service, project = argv[-1], after("--project-name") if "--project-name" in argv else ""
file = pathlib.Path(after("--file")) if "--file" in argv else None
if "version" in argv:
    print("2.24.5")
elif "config" in argv:
    print(service, file.read_text().strip())
elif (FOLDER / "broken").exists():
    raise SystemExit("no space left on device")
else:
    labels = ["com.docker.compose.project=" + project, "com.docker.compose.service=" + service]
    listed = ["--filter", "label=" + labels[0], "--filter", "label=" + labels[1]]
    old = ask("ps", "-aq", *listed).split()
    count = int(after("--scale").partition("=")[2]) if "--scale" in argv else 1
    if "--force-recreate" in argv:
        ask("rm", "-f", *old)
        old = []
    labels += ["com.docker.compose.oneoff=False", "com.docker.compose.config-hash=f00"]
    labels += ["com.docker.compose.project.config_files=" + str(file)]
    for number in range(len(old) + 1, count + 1):
        given = ["--label=" + one for one in labels]
        given += ["--label=com.docker.compose.container-number=" + str(number)]
        called = project + "-" + service + "-" + str(number)
        ask("run", "-d", "--name", called, *given, "{image}", "sh", "-c", "{sleep}")
        print("Container", called, "Started")
"""


@dataclass(frozen=True)
class Compose:
    """`path` is what PATH is to begin with; `file` the compose file of the project, which holds
    the hash that the program gives every service of it."""

    folder: Path
    file: Path

    @property
    def path(self) -> str:
        return str(self.folder / "bin")

    @property
    def told(self) -> list[list[str]]:
        """The argv of every call."""
        file = self.folder / "told"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def acts(self) -> list[list[str]]:
        """Those of the calls that change something."""
        return [argv for argv in self.told if "up" in argv]

    def breaks(self) -> None:
        """From now on it fails before it does anything."""
        (self.folder / "broken").touch()


def compose(folder: Path, engine: DockerEngine, program: str, python: str) -> Compose:
    """One that is called as `program` is, for the containers of `engine`."""
    made = Compose(folder, folder / "compose.yaml")
    made.file.write_text("f00")
    made.file.chmod(0o644)
    Path(made.path).mkdir()
    script = _SCRIPT.format(
        python=python, docker=shutil.which("docker"), folder=folder, program=program,
        image=engine.image, sleep="trap 'exit 0' TERM; while :; do sleep 0.1; done",
    )  # fmt: skip
    for name in ("docker", "docker-compose"):
        file = Path(made.path) / name
        file.write_text(script)
        file.chmod(0o755)
    return made
