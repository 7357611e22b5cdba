"""A real PM2 daemon with a PM2_HOME of its own, ended by its own pid."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from warroom.drill.stack.program import Missing, find

_APP: Final = """\
require('http').createServer((_, r) => r.end(String(process.pid))).listen(0, '127.0.0.1')
"""
_BREAKS: Final = """\
const fs = require('fs'), flag = __dirname + '/broken'
if (fs.existsSync(flag)) { console.error('no database'); process.exit(3) }
fs.writeFileSync(__dirname + '/up', '')
setInterval(() => {}, 1000)
"""


@dataclass(frozen=True)
class Pm2Server:
    """`home` is its PM2_HOME."""

    home: Path
    program: Path

    @property
    def broken(self) -> Path:
        """While this file is there, the application `breaks` ends as it begins."""
        return self.home / "apps" / "broken"

    @property
    def up(self) -> Path:
        """The application `breaks` makes this file once it runs."""
        return self.home / "apps" / "up"

    @property
    def pid(self) -> int:
        return int((self.home / "pm2.pid").read_text())

    def __call__(self, *args: str) -> str:
        """What `pm2 ARGS` prints."""
        done = subprocess.run(
            [str(self.program), *args, "--no-color"],
            env={**os.environ, "PM2_HOME": str(self.home), "APP_SECRET": "hunter2-hunter2"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"pm2 {' '.join(args)}: {done.stderr}{done.stdout}"
        return done.stdout

    def processes(self, name: str) -> list[dict[str, Any]]:
        return [one for one in json.loads(self("jlist")) if one["name"] == name]

    def pids(self, name: str) -> list[int]:
        return sorted(one["pid"] for one in self.processes(name))

    def fresh(self, name: str, *, file: str = "app.js", instances: int = 0) -> None:
        """An application that runs anew; `instances` in cluster mode, else one in fork mode."""
        if self.processes(name):
            self("delete", name)
        more = ["-i", str(instances)] if instances else []
        self("start", str(self.home / "apps" / file), "--name", name, *more)

    async def stop(self) -> None:
        """Ends the daemon, which ends its processes; those that stay are ended one by one."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            daemon = psutil.Process(self.pid)
            family = [daemon, *daemon.children(recursive=True)]
            daemon.send_signal(signal.SIGTERM)
            _, left = await asyncio.to_thread(psutil.wait_procs, family, timeout=8)
            for process in left:
                process.kill()


async def start(folder: Path) -> Pm2Server:
    """Starts one. Raises Missing."""
    program = find("pm2", "npm install --global pm2@5")
    find("node", "apt install nodejs")
    home = folder / "pm2"
    (home / "apps").mkdir(parents=True)
    if len(str(home)) > 90:
        raise Missing("the temporary folder's path is too long for PM2's sockets")
    (home / "apps" / "app.js").write_text(_APP)
    (home / "apps" / "breaks.js").write_text(_BREAKS)
    server = Pm2Server(home, program)
    await asyncio.to_thread(server, "ping")
    return server
