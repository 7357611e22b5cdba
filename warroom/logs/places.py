"""Which country and which network an address belongs to, from .mmdb files that somebody names.

The files are read with `maxminddb`, which is installed with `warroom[geo]` and imported when the
first address is looked up. A file's kind is told by what it says of addresses: `country.iso_code`
(or `registered_country`, or a plain `country_code`) and `autonomous_system_number` with its
`autonomous_system_organization`, or a plain `asn`, as in the MaxMind DB files of MaxMind, DB-IP and
IPinfo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from warroom.domain.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

_REMEMBERED: Final = 100_000
_LONGEST: Final = 60


class NoPlaces(Exception):
    """A database of places cannot be read; the message is one plain line."""


class Places:
    """Looks addresses up in every file. Opens the files at once; raises NoPlaces."""

    def __init__(self, files: Sequence[str | Path]) -> None:
        self._look = [_opened(str(file)) for file in files]
        self._known: dict[bytes, tuple[bytes, bytes]] = {}

    def country(self, address: bytes) -> bytes:
        """The ISO 3166-1 code of the country; empty when it is not known."""
        return self._of(address)[0]

    def asn(self, address: bytes) -> bytes:
        """The autonomous system, `AS64500 Example Org`; empty when it is not known."""
        return self._of(address)[1]

    def _of(self, address: bytes) -> tuple[bytes, bytes]:
        if not address:
            return b"", b""
        found = self._known.get(address)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[address] = self._looked_up(address.decode("ascii"))
        return found

    def _looked_up(self, address: str) -> tuple[bytes, bytes]:
        country = network = ""
        for look in self._look:
            said = look(address)
            country = country or _country(said)
            network = network or _network(said)
        return country.encode("utf-8", "replace"), network.encode("utf-8", "replace")


def _opened(file: str) -> Callable[[str], Mapping[str, Any]]:
    try:
        import maxminddb
    except ImportError:
        raise NoPlaces(f"{file}: to read it, install warroom[geo] (maxminddb)") from None
    try:
        reader = maxminddb.open_database(file)
    except (ValueError, maxminddb.InvalidDatabaseError):
        raise NoPlaces(f"{file}: is no MaxMind DB file") from None
    except OSError as error:
        raise NoPlaces(f"{file}: {error.strerror or error}") from None

    def look(address: str) -> Mapping[str, Any]:
        try:
            found = reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return {}  # an IPv6 address in a file of IPv4 alone, or a damaged entry
        return found if isinstance(found, Mapping) else {}

    return look


def _country(said: Mapping[str, Any]) -> str:
    for name in ("country", "registered_country"):
        found = said.get(name)
        if isinstance(found, Mapping) and isinstance(found.get("iso_code"), str):
            return _plain(found["iso_code"])
    found = said.get("country_code", said.get("country"))
    return _plain(found) if isinstance(found, str) else ""


def _network(said: Mapping[str, Any]) -> str:
    number = said.get("autonomous_system_number", said.get("asn", ""))
    who = said.get("autonomous_system_organization", said.get("as_name", ""))
    if not isinstance(number, (int, str)) or number == "":
        return ""
    number = str(number).removeprefix("AS")
    return _plain(f"AS{number} {who if isinstance(who, str) else ''}")


def _plain(text: str) -> str:
    return harmless(text)[:_LONGEST].strip()
