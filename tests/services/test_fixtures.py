"""The servers that other tests stand on are the real thing."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable

import asyncpg
import httpx
import pytest
import redis.asyncio

from tests.support.services import DockerEngine, HttpService
from tests.support.sshd import SshServer
from tests.support.waiting import comes_true
from warroom.drill.stack.nginx import Nginx
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.redis import Redis


@pytest.mark.service("postgres")
async def test_postgres_answers_on_its_socket(postgres_server: Postgres) -> None:
    connection = await asyncpg.connect(postgres_server.dsn())
    assert await connection.fetchval("SELECT current_user") == "postgres"
    await connection.close()


@pytest.mark.service("postgres")
async def test_postgres_lets_nobody_in_over_tcp_without_a_password(
    postgres_server: Postgres,
) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await asyncpg.connect(
            host="127.0.0.1", port=postgres_server.port, user="postgres", password="guess"
        )


@pytest.mark.service("redis")
async def test_redis_answers_on_its_port_and_its_socket(redis_server: Redis) -> None:
    for url in (redis_server.url, f"unix://{redis_server.socket}"):
        client = redis.asyncio.Redis.from_url(url)
        assert await client.ping()
        await client.aclose()


@pytest.mark.service("nginx")
async def test_nginx_serves_its_root_and_logs_it(nginx_server: Nginx) -> None:
    (nginx_server.root / "hello.txt").write_text("hello")
    (nginx_server.root / "hello.txt").chmod(0o644)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{nginx_server.url}/hello.txt")).content == b"hello"
    line = '"GET /hello.txt HTTP/1.1" 200 5'  # written after the answer
    assert await comes_true(lambda: line in nginx_server.access_log.read_text())


@pytest.mark.service("docker")
def test_a_container_runs_and_can_be_listed(docker_engine: DockerEngine) -> None:
    container = docker_engine.run("fixture-hello", "sleep", "600", labels={"a": "b"}, health="true")
    try:
        listed = docker_engine.docker("ps", "--no-trunc", "--format", '{{.ID}} {{.Label "a"}}')
        assert f"{container} b" in listed
    finally:
        docker_engine.docker("rm", "--force", "fixture-hello")


@pytest.mark.service("ssh")
def test_ssh_lets_the_current_user_in_by_key(ssh_server: SshServer) -> None:
    argv = ["ssh", "-F", str(ssh_server.config), "box", "echo", "here"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.returncode) == ("here\n", 0), done.stderr


def test_an_http_service_answers_what_was_laid_down_and_fails_on_demand(
    http_service: Callable[..., HttpService],
) -> None:
    service = http_service()
    service.respond("/health", body="fine", headers={"X-From": "test"})
    with urllib.request.urlopen(f"{service.url}/health") as answer:
        assert (answer.read(), answer.headers["X-From"]) == (b"fine", "test")
    service.faults.status = 502
    with pytest.raises(urllib.error.HTTPError, match="502"):
        urllib.request.urlopen(f"{service.url}/health")
    service.refuse()
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(f"{service.url}/health")
    service.accept()
    service.faults.clear()
    assert urllib.request.urlopen(f"{service.url}/health").status == 200
    assert [request.path for request in service.requests] == ["/health"] * 3
