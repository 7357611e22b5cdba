"""TLS to PostgreSQL: as libpq's sslmode asks for it, and from end to end through SSH."""

from __future__ import annotations

import asyncio
import datetime
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.postgres_clients import probe_of, psql
from tests.support.sshd import SshServer
from warroom.config.values import Secret
from warroom.drill.stack import postgres
from warroom.drill.stack.postgres import Postgres
from warroom.hosts.ssh import SshHost
from warroom.probes.base import ProbeFault

pytestmark = pytest.mark.service("postgres")

HBA = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


def certificate(folder: Path, name: str) -> tuple[bytes, bytes]:
    """A certificate of its own making for `name`, and its key, in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM), private


@pytest.fixture(scope="module")
def tls_server(stack_folder: Path) -> Iterator[Postgres]:
    """A server that lets nobody in over TCP without TLS; its certificate names `localhost`."""
    home = stack_folder / "tls"
    home.mkdir(mode=0o711)
    server = asyncio.run(postgres.start(home))
    data = server.socket_dir / "data"
    owner = data.stat()
    for name, content in zip(
        ("server.crt", "server.key"), certificate(home, "localhost"), strict=True
    ):
        file = data / name
        file.touch(mode=0o600)
        file.write_bytes(content)
        shutil.chown(file, owner.st_uid, owner.st_gid)
    (home / "ca.pem").write_bytes((data / "server.crt").read_bytes())
    (data / "pg_hba.conf").write_text(HBA)
    psql(server, "CREATE ROLE clerk LOGIN PASSWORD 'pa55'")
    psql(server, "ALTER SYSTEM SET ssl = on")
    psql(server, "SELECT pg_reload_conf()")
    yield server
    asyncio.run(server.stop())
    shutil.rmtree(home)


@pytest.fixture
def kept(tmp_path: Path, tls_server: Postgres) -> Callable[..., Secret]:
    """The server's DSN with a password and parameters, kept in a file."""

    def keep(parameters: str, host: str = "localhost") -> Secret:
        file = tmp_path / "dsn"
        file.touch(mode=0o600)
        place = f"{host}:{tls_server.port}"
        file.write_text(f"postgresql://clerk:pa55@{place}/postgres?{parameters}")
        return Secret(f"file:{file}")

    return keep


async def encrypted(dsn: Secret, host: SshHost | None = None) -> str:
    """Whether the server says that the probe's own session is encrypted: `on` or `off`."""
    probe = probe_of(
        dsn,
        host=host,
        timeout=10.0,
        queries={
            "tls": "SELECT CASE WHEN ssl THEN 'on' ELSE 'off' END AS s FROM pg_stat_ssl "
            "WHERE pid = pg_backend_pid()"
        },
    )
    try:
        await probe.sample()
        told = await probe.detail("")
        return told.sections[0].lines[1]
    finally:
        await probe.close()


async def refused(dsn: Secret, host: SshHost | None = None) -> str:
    probe = probe_of(dsn, host=host, timeout=10.0)
    try:
        with pytest.raises(ProbeFault) as caught:
            await probe.sample()
        return str(caught.value)
    finally:
        await probe.close()


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
async def test_every_mode_that_allows_tls_gets_it(
    kept: Callable[..., Secret], stack_folder: Path, mode: str
) -> None:
    root = f"&sslrootcert={stack_folder}/tls/ca.pem" if mode.startswith("verify") else ""
    assert await encrypted(kept(f"sslmode={mode}{root}")) == "on"


async def test_a_server_that_wants_tls_says_so_to_who_has_turned_it_off(
    kept: Callable[..., Secret],
) -> None:
    assert (await refused(kept("sslmode=disable"))).endswith(
        "the server wants TLS: add sslmode=require"
    )


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    kept: Callable[..., Secret], stack_folder: Path
) -> None:
    assert "its certificate is not trusted" in await refused(kept("sslmode=verify-full"))
    root = f"sslrootcert={stack_folder}/tls/ca.pem"
    other = await refused(kept(f"sslmode=verify-full&{root}", host="127.0.0.1"))
    assert "its certificate is not trusted" in other
    assert "127.0.0.1" in other
    assert "sslrootcert" in await refused(kept("sslmode=verify-ca&sslrootcert=/nowhere.pem"))


@pytest.mark.service("ssh")
@pytest.mark.parametrize("mode", ["prefer", "require", "verify-full"])
async def test_tls_goes_through_ssh_from_end_to_end(
    kept: Callable[..., Secret], stack_folder: Path, ssh_server: SshServer, mode: str
) -> None:
    host = SshHost("box", "box", str(ssh_server.config))
    root = f"&sslrootcert={stack_folder}/tls/ca.pem" if mode.startswith("verify") else ""
    try:
        assert await encrypted(kept(f"sslmode={mode}{root}"), host) == "on"
        if root:
            wrong = await refused(kept(f"sslmode={mode}{root}", host="127.0.0.1"), host)
            assert "its certificate is not trusted" in wrong, "the DSN's name counts, not the way"
    finally:
        await host.close()
