"""A private nginx on 127.0.0.1 in front of HTTP services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from warroom.drill.stack.program import Program, find, free_port, listening, own_folder

_CONF: Final = """
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log {home}/access.log combined;
  client_body_temp_path {home}/tmp-body;
  proxy_temp_path {home}/tmp-proxy;
  fastcgi_temp_path {home}/tmp-fastcgi;
  uwsgi_temp_path {home}/tmp-uwsgi;
  scgi_temp_path {home}/tmp-scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_connect_timeout 1s;
  proxy_read_timeout 5s;
  set_real_ip_from 127.0.0.0/8;
  real_ip_header X-Forwarded-For;
  include {home}/rules/*.conf;
{upstreams}
  server {{
    listen 127.0.0.1:{port};
    root {home}/root;
    location = /nginx_status {{ stub_status; access_log off; }}
{locations}
  }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running server. `root` is the folder whose files it serves; `conf` its main file."""

    binary: Path
    home: Path
    port: int
    program: Program

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def root(self) -> Path:
        return self.home / "root"

    @property
    def conf(self) -> Path:
        return self.home / "nginx.conf"

    @property
    def include(self) -> Path:
        """The file of rules that warroom may own; it need not be there."""
        return self.home / "rules" / "warroom.conf"

    @property
    def argv(self) -> tuple[str, ...]:
        """How its config is tested and loaded again."""
        return (str(self.binary), "-p", str(self.home), "-c", self.conf.name, "-e", "stderr")

    @property
    def access_log(self) -> Path:
        return self.home / "access.log"

    @property
    def error_log(self) -> Path:
        return self.home / "error.log"

    async def stop(self) -> None:
        await self.program.stop()


async def start(folder: Path, services: Mapping[str, int] | None = None) -> Nginx:
    """A new server in `folder` that hands each path prefix of `services` to a port of 127.0.0.1.

    As behind a load balancer, who asks is what X-Forwarded-For says. Raises Missing or StartFailed.
    """
    binary = find("nginx", "apt install nginx")
    home = own_folder(folder, "nginx")
    for name in ("root", "rules"):
        (home / name).mkdir(mode=0o755)
    port = free_port()
    upstreams = [
        f"  upstream service{to} {{ server 127.0.0.1:{to} max_fails=0; keepalive 8; }}"
        for to in (services or {}).values()
    ]
    locations = [
        f"    location {prefix} {{ proxy_pass http://service{to}; }}"
        for prefix, to in (services or {}).items()
    ]
    conf = home / "nginx.conf"
    text = _CONF.format(
        home=home, port=port, upstreams="\n".join(upstreams), locations="\n".join(locations)
    )
    conf.write_text(text)
    argv: list[str | Path] = [binary, "-c", conf, "-p", home, "-e", home / "error.log"]
    program = Program(argv, home / "nginx.out")
    await program.ready(lambda: listening(port))
    return Nginx(binary, home, port, program)
