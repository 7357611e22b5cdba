"""Writes a MaxMind DB file (MaxMind DB File Format Specification 2.0): a search tree of 24-bit
records over IPv6 addresses, IPv4 below ::/96, and a data section of maps, texts and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Network, ip_network
from pathlib import Path
from typing import Any

_MARK = b"\xab\xcd\xefMaxMind.com"
_MAP, _TEXT, _UINT16, _UINT32, _UINT64, _ARRAY = 7, 2, 5, 6, 9, 11


def write_mmdb(path: Path, places: Mapping[str, Mapping[str, Any]], kind: str = "Test") -> Path:
    """`places` by network; what is looked up elsewhere is not known."""
    nodes: list[list[int | None]] = [[None, None]]
    data, at = b"", []
    for text, said in places.items():
        at.append((_bits(text), len(data)))
        data += _packed(dict(said))
    for bits, offset in at:
        node = 0
        for bit in bits[:-1]:
            following = nodes[node][bit]
            if following is None:
                nodes.append([None, None])
                following = nodes[node][bit] = len(nodes) - 1
            node = following
        nodes[node][bits[-1]] = -1 - offset
    count = len(nodes)
    tree = b"".join(_record(one, count).to_bytes(3, "big") for node in nodes for one in node)
    about = {
        "binary_format_major_version": (_UINT16, 2), "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, 1), "database_type": kind,
        "description": {"en": "made by a test"}, "ip_version": (_UINT16, 6), "languages": ["en"],
        "node_count": (_UINT32, count), "record_size": (_UINT16, 24),
    }  # fmt: skip
    path.write_bytes(tree + bytes(16) + data + _MARK + _packed(about))
    return path


def _bits(text: str) -> list[int]:
    network = ip_network(text)
    if not isinstance(network, IPv6Network):
        network = IPv6Network(f"::{network.network_address}/{96 + network.prefixlen}")
    value = int(network.network_address)
    return [value >> (127 - place) & 1 for place in range(network.prefixlen)]


def _record(one: int | None, count: int) -> int:
    if one is None:
        return count
    return one if one >= 0 else count + 16 + (-1 - one)


def _packed(value: Any) -> bytes:
    if isinstance(value, Mapping):
        parts = [_packed(str(key)) + _packed(item) for key, item in value.items()]
        return _control(_MAP, len(parts)) + b"".join(parts)
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_packed, value))
    if isinstance(value, int):
        value = _UINT32, value
    if isinstance(value, tuple):
        kind, number = value
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return _control(kind, len(raw)) + raw
    raw = str(value).encode()
    return _control(_TEXT, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    assert size < 285
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return (bytes([low, kind - 7]) if kind > 7 else bytes([kind << 5 | low])) + more
