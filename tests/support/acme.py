"""A certificate authority of our own (pebble, RFC 8555), and a site whose certificate certbot got
from it. The authority asks the site over HTTP, on this machine, before it signs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from warroom.drill.stack.program import Program, StartFailed, find, free_port, listening

DOMAIN: Final = "shop.test"
_SETTINGS: Final = """\
server = https://127.0.0.1:{port}/dir
no-verify-ssl = true
config-dir = {home}/etc
work-dir = {home}/work
logs-dir = {home}/logs
max-log-backups = 0
authenticator = standalone
http-01-address = 127.0.0.1
http-01-port = {http}
key-type = ecdsa
agree-tos = true
register-unsafely-without-email = true
"""
"""certbot reads it from ~/.config/letsencrypt/cli.ini."""


@dataclass(frozen=True)
class Authority:
    """`home` is what HOME is to be for whoever calls certbot."""

    home: Path
    pebble: Program
    names: Program

    @property
    def issued(self) -> list[str]:
        """The serial numbers of what was signed, as the authority tells it, oldest first."""
        said = (self.home / "pebble.log").read_text()
        return re.findall("Issued certificate serial 0*([0-9a-f]+) ", said)

    @property
    def serial(self) -> str:
        """Of the certificate that the site has now."""
        from cryptography import x509

        data = (self.home / f"etc/live/{DOMAIN}/cert.pem").read_bytes()
        return f"{x509.load_pem_x509_certificate(data).serial_number:x}"

    def due(self) -> None:
        """From now on the certificate is one to renew, however long it may last."""
        file = self.home / f"etc/renewal/{DOMAIN}.conf"
        file.write_text(f"renew_before_expiry = 90 years\n{file.read_text()}")

    async def stop(self) -> None:
        for program in (self.pebble, self.names):
            await program.stop()


async def start(folder: Path) -> Authority:
    """One, and a first certificate. Raises Missing or StartFailed."""
    pebble = find("pebble", "apt install pebble")
    names, certbot = (
        find("pebble-challtestsrv", "apt install pebble"),
        find("certbot", "apt install certbot"),
    )
    home = folder / "acme"
    (home / ".config/letsencrypt").mkdir(parents=True)
    port, manage, http, dns, more = (free_port() for _ in range(5))
    _certificate(home)
    own = {"listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{manage}",
           "certificate": str(home / "cert.pem"), "privateKey": str(home / "key.pem"),
           "httpPort": http, "tlsPort": more}  # fmt: skip
    (home / "pebble.json").write_text(json.dumps({"pebble": own}))
    settings = _SETTINGS.format(port=port, home=home, http=http)
    (home / ".config/letsencrypt/cli.ini").write_text(settings)
    off = [word for one in ("http01", "https01", "tlsalpn01") for word in (f"-{one}", "")]
    answering = Program(
        [names, "-defaultIPv6", "", "-dns01", f"127.0.0.1:{dns}", *off, "-management", ""],
        home / "names.log", unprivileged=False,
    )  # fmt: skip
    signing = Program(
        ["env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", pebble, "-config",
         home / "pebble.json", "-dnsserver", f"127.0.0.1:{dns}"],
        home / "pebble.log", unprivileged=False,
    )  # fmt: skip
    authority = Authority(home, signing, answering)
    try:
        await answering.ready(lambda: listening(dns))
        await signing.ready(lambda: listening(port))
        await asyncio.to_thread(_first, certbot, home)
    except BaseException:
        await authority.stop()
        raise
    return authority


def _first(certbot: Path, home: Path) -> None:
    argv = [str(certbot), "certonly", "--non-interactive", "--domain", DOMAIN]
    env = {**os.environ, "HOME": str(home)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise StartFailed(f"certbot got no first certificate: {done.stdout}{done.stderr}")


def _certificate(home: Path) -> None:
    """Of the authority's own door, for 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (home / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (home / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
