"""An nginx at the edge, as teams have it: it includes a folder, and takes clients from a header."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from warroom.drill.stack.program import Program, find, free_port, listening

_CONF: Final = """
daemon off;
worker_processes 2;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log {home}/access.log combined;
  client_body_temp_path {home}/tmp-body;
  proxy_temp_path {home}/tmp-proxy;
  fastcgi_temp_path {home}/tmp-fastcgi;
  uwsgi_temp_path {home}/tmp-uwsgi;
  scgi_temp_path {home}/tmp-scgi;
  set_real_ip_from 127.0.0.1;
  real_ip_header X-Real-IP;
  log_format odd "a;b{{c}} '#' ${{remote_addr}}x";
  include conf.d/*.conf;
  server {{
    listen 127.0.0.1:{port};
    root {home}/root;
    location / {{ try_files /index.html =404; }}
    include sites/*;
  }}
}}
"""


@dataclass
class Edge:
    """A running nginx whose config is the test's to change."""

    home: Path
    port: int
    program: Program
    argv: tuple[str, ...]

    @property
    def include(self) -> Path:
        """The file that warroom may own."""
        return self.home / "conf.d" / "warroom.conf"

    @property
    def site(self) -> Path:
        """A file of the team's own, included in the server."""
        return self.home / "sites" / "shop"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, client: str, path: str = "/") -> int:
        """The status that a client of that address gets."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"X-Real-IP": client})
            return connection.getresponse().status
        finally:
            connection.close()

    def passes(self) -> bool:
        """Whether `nginx -t` is green."""
        return subprocess.run([*self.argv, "-t"], capture_output=True, check=False).returncode == 0

    def workers(self) -> set[int]:
        """The processes that serve now."""
        found = set()
        for child in psutil.Process(self.program.pid).children():
            with suppress(psutil.NoSuchProcess):  # an old one that has just ended
                argv = child.cmdline()
                if argv and "shutting" not in argv[0]:
                    found.add(child.pid)
        return found

    async def stop(self) -> None:
        await self.program.stop()

    def clean(self) -> None:
        """The files as they were at the start, and nginx has loaded them."""
        for folder in ("conf.d", "sites"):
            for file in (self.home / folder).iterdir():
                file.unlink()
        before, deadline = self.workers(), time.monotonic() + 30
        os.kill(self.program.pid, signal.SIGHUP)
        while not self.workers() or self.workers() & before:
            assert time.monotonic() < deadline, "nginx did not load its first config again"
            time.sleep(0.01)


async def start(folder: Path) -> Edge:
    """A new server. Raises Missing or StartFailed."""
    binary = find("nginx", "apt install nginx")
    home = folder / f"edge-{os.getpid()}"
    for name in ("", "conf.d", "sites", "root"):
        (home / name).mkdir(mode=0o755)
    (home / "root" / "index.html").write_text("shop\n")
    port = free_port()
    (home / "nginx.conf").write_text(_CONF.format(home=home, port=port))
    argv = (
        str(binary), "-c", str(home / "nginx.conf"), "-p", str(home),
        "-e", str(home / "error.log"),
    )  # fmt: skip
    program = Program([*argv], home / "nginx.out", unprivileged=False)
    await program.ready(lambda: listening(port))
    return Edge(home, port, program, argv)
