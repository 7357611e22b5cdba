"""Logs that are read from the front, whole lines at a time: standard input, archives, UTF-16."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

CHUNK: Final = 128 * 1024
_PACKED: Final = (".gz", ".bz2", ".xz", ".zst")
_UNPACKERS: Final = ("zlib", "_lzma", "lzma", "zstandard", "_zstd", "zstd", "backports")
"""Modules whose errors say that an archive is damaged."""
_PACKED_PIECE: Final = 8 * 1024
"""Of a log that repeats itself, it may well be a thousand times as long unpacked."""
_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""Byte order marks (Unicode, section 23.8): what PowerShell and old Windows tools write."""


def opened_raw(path: str, buffering: int = -1) -> BinaryIO:
    """The bytes of a file. Not by pathlib, here and below: to import it takes as long as counting
    10,000 lines."""
    return open(path, "rb", buffering)  # noqa: PTH123


def is_stream(source: str) -> bool:
    """Whether a file cannot be read from any place in it."""
    if source.endswith(_PACKED) or not os.path.isfile(source):  # noqa: PTH113
        return True
    with opened_raw(source) as file:
        return file.read(2) in _MARKS


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Chunks that end where a line does, as UTF-8 where they were UTF-16."""
    head = file.read(2)
    encoding = _MARKS.get(head)
    if encoding is not None:
        yield from _recoded(file, encoding)
        return
    chunk = head + file.read(CHUNK)
    while chunk:
        yield chunk if chunk.endswith(b"\n") else chunk + file.readline()
        chunk = file.read(CHUNK)


def _recoded(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)("replace")
    parts: list[bytes] = []
    while chunk := file.read(CHUNK):
        data = decoder.decode(chunk).encode("utf-8", "replace")
        end = data.rfind(b"\n") + 1
        parts.append(data[:end] if end else data)
        if end:
            yield b"".join(parts)
            parts = [data[end:]]
    parts.append(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    if rest := b"".join(parts):
        yield rest


@contextmanager
def opened(source: str) -> Iterator[BinaryIO]:
    """A stream to read; what the unpackers raise comes as OSError with the file's name."""
    if source == "-":
        yield sys.stdin.buffer
        return
    with _unpacked(source) as file:
        try:
            yield file
        except EOFError as error:
            raise OSError(errno.EILSEQ, "the archive is cut, its end is missing", source) from error
        except OSError as error:
            if error.errno is not None:
                error.filename = error.filename or source
                raise
            raise OSError(errno.EILSEQ, f"damaged archive ({error})", source) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in _UNPACKERS:
                raise
            raise OSError(errno.EILSEQ, f"damaged archive ({error})", source) from error


def _unpacked(source: str) -> Any:
    suffix = os.path.splitext(source)[1]  # noqa: PTH122
    if suffix == ".gz":
        import gzip

        return gzip.open(source)
    if suffix == ".bz2":
        import bz2

        return bz2.open(source)
    if suffix == ".xz":
        import lzma

        return lzma.open(source)
    if suffix == ".zst":
        return _zstd(source)
    return opened_raw(source)


def _zstd(source: str) -> Any:
    """By Python's own module (3.14), else by `zstandard`. Raises OSError where there is neither."""
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        try:
            import zstandard
        except ImportError:
            why = f"to read .zst, install warroom[zstd], or pipe it in: zstdcat {source} |"
            raise OSError(errno.ENOPKG, why, source) from None
        frames = zstandard.ZstdDecompressor().decompressobj
        return io.BufferedReader(_Frames(opened_raw(source), frames), CHUNK)
    return zstd.open(source)


class _Frames(io.RawIOBase):
    """The content of frames one after the other; raises EOFError where the last has no end, which
    the reader of `zstandard` takes for the end of the file."""

    def __init__(self, file: BinaryIO, frames: Callable[[], Any]) -> None:
        self._file, self._frames = file, frames
        self._frame: Any = None
        self._packed, self._content = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._content:
            packed = self._packed or self._file.read(_PACKED_PIECE)
            if not packed:
                if self._frame is not None:
                    raise EOFError
                return 0
            self._frame = self._frame or self._frames()
            self._content = memoryview(self._frame.decompress(packed))
            self._packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        size = min(len(buffer), len(self._content))
        buffer[:size], self._content = self._content[:size], self._content[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def last_of(chunks: Iterator[bytes], last: int) -> bytes:
    """The last `last` lines of all chunks."""
    from collections import deque

    kept: deque[bytes] = deque(maxlen=max(0, last))
    for chunk in chunks:
        kept.extend(chunk.splitlines(keepends=True) if b"\r" not in chunk else _lines(chunk))
    return b"".join(kept)


def _lines(chunk: bytes) -> list[bytes]:
    """`splitlines` that does not take a lone carriage return for an end."""
    lines = chunk.split(b"\n")
    end = lines.pop()
    return [line + b"\n" for line in lines] + ([end] if end else [])
