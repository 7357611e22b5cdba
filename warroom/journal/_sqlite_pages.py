"""Rows in what is left of a SQLite file and its write-ahead log, without SQLite. Pure.

SQLite reads no further than the first page that it finds damaged, and nothing at all of a file
whose first page is. But every leaf page says by itself what rows it holds
(https://sqlite.org/fileformat2.html, sections 1.6, 2.1 and 4), so each is read for itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Value = int | float | str | bytes | None
Record = tuple[Value, ...]

_SIZES: Final = (4096, 8192, 16384, 32768, 65536, 2048, 1024, 512)
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""How many bytes an integer of a serial type takes."""
_WAL_MAGIC: Final = (0x377F0682, 0x377F0683)
_WAL_HEAD, _FRAME_HEAD = 32, 24
_LONGEST: Final = 1 << 30
"""No value is longer (SQLITE_MAX_LENGTH): a longer one is damage."""


class _Damaged(Exception):
    """This cell does not hold what its page says."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages by number, from 1: those that the last commit left, and others that are still there.

    `whole` is whether the log could be read to its end. `spare` may hold rows of an older state,
    and rows that were never committed.
    """

    size: int
    usable: int
    current: Mapping[int, bytes]
    spare: tuple[tuple[int, bytes], ...]
    whole: bool


def pages(database: bytes, log: bytes) -> Pages:
    """What a database file and its write-ahead log hold."""
    size, reserved = _page_size(database, log)
    current = {
        at // size + 1: database[at : at + size] for at in range(0, len(database) - size + 1, size)
    }
    committed, rest, whole = _frames(log, size)
    under = [(number, current[number]) for number in committed if number in current]
    current.update(committed)
    return Pages(size, size - reserved, current, (*rest, *under), whole)


def table_rows(found: Pages, *, spare: bool = False) -> Iterator[tuple[int, Record]]:
    """Each row of each table with its rowid, from whole cells only."""
    for number, page in found.spare if spare else found.current.items():
        begin = 100 if number == 1 and page.startswith(b"SQLite") else 0
        if page[begin] == _TABLE_LEAF:
            for at in _cells(page, begin, 8):
                try:
                    length, after = _varint(page, at)
                    rowid, after = _varint(page, after)
                    yield rowid, _record(found, page, length, after, found.usable - 35)
                except (_Damaged, IndexError, struct.error, UnicodeDecodeError):
                    continue


def index_rows(found: Pages) -> Iterator[Record]:
    """Each entry of each index and each row of each table WITHOUT ROWID."""
    most = (found.usable - 12) * 64 // 255 - 23
    for page in found.current.values():
        if page[0] in (_INDEX_LEAF, _INDEX_INTERIOR):
            inner = page[0] == _INDEX_INTERIOR
            for at in _cells(page, 0, 12 if inner else 8):
                try:
                    length, after = _varint(page, at + 4 if inner else at)
                    yield _record(found, page, length, after, most)
                except (_Damaged, IndexError, struct.error, UnicodeDecodeError):
                    continue


def _page_size(database: bytes, log: bytes) -> tuple[int, int]:
    """With the bytes at the end of each page that SQLite leaves to others."""
    if database.startswith(b"SQLite format 3\0") and len(database) >= 100:
        (size,) = struct.unpack_from(">H", database, 16)
        size = 65536 if size == 1 else size
        if size in _SIZES and database[20] < 64:
            return size, database[20]
    if len(log) >= _WAL_HEAD:
        magic, _, size = struct.unpack_from(">3I", log)
        if magic in _WAL_MAGIC and size in _SIZES:
            return size, 0
    return _SIZES[0], 0


def _frames(log: bytes, size: int) -> tuple[dict[int, bytes], list[tuple[int, bytes]], bool]:
    """Pages that commits in the log left, pages in frames that count for nothing, and whether
    every frame of the log's last round could be read."""
    committed: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    rest: list[tuple[int, bytes]] = []
    if len(log) < _WAL_HEAD:
        return committed, rest, True
    magic = struct.unpack_from(">I", log)[0]
    order = ">" if magic & 1 else "<"
    salts, so_far = log[16:24], struct.unpack_from(">2I", log, 24)
    valid = magic in _WAL_MAGIC and _checksum(log[:24], (0, 0), order) == so_far
    whole = valid
    for at in range(_WAL_HEAD, len(log) - size - _FRAME_HEAD + 1, size + _FRAME_HEAD):
        number, commit = struct.unpack_from(">2I", log, at)
        page = log[at + _FRAME_HEAD : at + _FRAME_HEAD + size]
        ours = log[at + 8 : at + 16] == salts
        if valid:
            so_far = _checksum(log[at : at + 8] + page, so_far, order)
            valid = ours and so_far == struct.unpack_from(">2I", log, at + 16)
            whole = whole and (valid or not ours)
        if not valid:
            rest.append((number, page))
            continue
        pending[number] = page
        if commit:
            committed.update(pending)
            pending.clear()
    return committed, [*pending.items(), *rest], whole


def _checksum(data: bytes, seed: tuple[int, int], order: str) -> tuple[int, int]:
    one, two = seed
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def _cells(page: bytes, begin: int, head: int) -> Iterator[int]:
    """Where each cell begins."""
    (count,) = struct.unpack_from(">H", page, begin + 3)
    first = begin + head
    for at in range(first, min(first + 2 * count, len(page) - 1), 2):
        (cell,) = struct.unpack_from(">H", page, at)
        if first <= cell < len(page):
            yield cell


def _record(found: Pages, page: bytes, length: int, at: int, most: int) -> Record:
    payload = _payload(found, page, length, at, most)
    head, at = _varint(payload, 0)
    body, values = head, []
    while at < head:
        serial, at = _varint(payload, at)
        value, body = _value(payload, serial, body)
        values.append(value)
    return tuple(values)


def _payload(found: Pages, page: bytes, length: int, at: int, most: int) -> bytes:
    """What a cell holds, the pages on which it goes on included."""
    if not 0 < length < _LONGEST:
        raise _Damaged
    if length <= most:
        here = length
    else:
        least = (found.usable - 12) * 32 // 255 - 23
        here = least + (length - least) % (found.usable - 4)
        here = here if here <= most else least
    parts, missing = [page[at : at + here]], length - here
    following = struct.unpack_from(">I", page, at + here)[0] if missing else 0
    while missing > 0:
        further = found.current.get(following)
        if further is None:
            raise _Damaged
        parts.append(further[4 : 4 + min(missing, found.usable - 4)])
        missing -= len(parts[-1])
        (following,) = struct.unpack_from(">I", further)
    payload = b"".join(parts)
    if len(payload) != length:
        raise _Damaged
    return payload


def _value(payload: bytes, serial: int, at: int) -> tuple[Value, int]:
    """A value of a serial type, and where the next one begins."""
    if serial in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[serial], at
    if serial == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    length = _INTEGERS[serial] if serial in _INTEGERS else (serial - 12) // 2
    data = payload[at : at + length]
    if serial in (10, 11) or len(data) != length:
        raise _Damaged
    if serial in _INTEGERS:
        return int.from_bytes(data, "big", signed=True), at + length
    return data.decode() if serial % 2 else data, at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """An integer of one to nine bytes, and where the next begins."""
    value = 0
    for count in range(9):
        byte = data[at + count]
        if count == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, at + count + 1
    raise _Damaged
