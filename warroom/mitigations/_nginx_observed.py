"""What a web server answers, asked once over its own host: how a client would see it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from warroom.domain.text import harmless, shorten
from warroom.hosts.base import Host, HostError, TcpAddress, UnixAddress

_ASK_S: Final = 10.0


class NoAnswer(Exception):
    """The server did not answer, and why."""


async def status(host: Host, url: str, headers: dict[str, str]) -> int:
    """The status of GET `url`, redirects not followed, its body left unread. Raises NoAnswer.

    The request goes out from `host`; the machine's proxy settings are not used.
    """
    import httpx

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = await host.reach(TcpAddress(parts.hostname or "", port))
        path = address.path if isinstance(address, UnixAddress) else None
        transport = httpx.AsyncHTTPTransport(uds=path, trust_env=False)
        async with (
            httpx.AsyncClient(transport=transport, timeout=_ASK_S, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, HostError, OSError) as error:
        said = shorten(harmless(str(error) or type(error).__name__), 200)
        raise NoAnswer(f"{harmless(url)}: {said}") from error
