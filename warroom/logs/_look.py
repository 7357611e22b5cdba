"""What a followed log looks like: recognised when lines come, and again when they change."""

from __future__ import annotations

from collections import deque
from typing import Final

from warroom.logs.columns import Columns, Layout, columns
from warroom.logs.formats.base import Format
from warroom.logs.recognise import Recognised, recognise
from warroom.logs.split import Batch
from warroom.logs.trust import NOBODY, Trust

_SAMPLE: Final = 80
"""Lines that are looked at: a few milliseconds' work, for keys wait meanwhile."""
_ENOUGH: Final = 50
"""Lines of a sample after which a format of requests is not asked for again."""
_SAMPLE_BYTES: Final = 400 * 1024
_AT_MOST_AFTER: Final = 5_000
"""Lines after which a log that is still unknown is looked at again; it begins with each batch."""
_UTF16: Final = "UTF-16, not read: let its writer write UTF-8, or follow it through iconv"


class Look:
    """The format of one log, told by its content, or named in the config."""

    def __init__(self, named: Format | None = None, trust: Trust = NOBODY) -> None:
        self.found: Recognised | None = None
        self.format: Format | None = named
        self.trust = trust
        self.trouble = ""
        """One plain line when the log cannot be read."""
        self._named = named
        self._layout: Layout | None = None
        self._sample: deque[bytes] = deque(maxlen=_SAMPLE)
        self._since, self._wait = 0, 0

    def __str__(self) -> str:
        """For people: the name, and how much of the sample fits; empty while nothing is known."""
        return str(self.found) if self.found is not None and self.found.format else ""

    def at(self, batch: Batch) -> None:
        """Lines came."""
        if self._is_settled():
            return
        self._since += batch.count
        if self._since < self._wait and len(self._sample) >= _ENOUGH:
            return
        self._sample.extend(batch.data[:_SAMPLE_BYTES].split(b"\n")[:-1][:_SAMPLE])
        if self._since < self._wait:
            return
        self._since, self._wait = 0, min(max(1, 2 * self._wait), _AT_MOST_AFTER)
        lines = list(self._sample)
        if lines and lines[0].count(b"\0") * 3 > len(lines[0]):
            self.trouble = _UTF16
            return
        self.trouble = ""
        found = recognise(lines)
        if self._named is not None:
            fits = sum(self._named.fits(line) for line in lines if line.strip())
            found = Recognised(self._named, fits, max(fits, found.seen))
        self.found, self.format = found, found.format
        if found.format is not None:
            self._layout = Layout(found.format, self.trust)

    def _is_settled(self) -> bool:
        """A few lines may be a banner; a log without requests may come to have some."""
        found = self.found
        return (
            self._layout is not None
            and found is not None
            and found.seen >= _ENOUGH
            and self._layout.format.asks
        )

    @property
    def layout(self) -> Layout | None:
        """How its lines are read; None while its format is not known."""
        return self._layout

    def columns(self, data: bytes) -> Columns | None:
        """The columns of whole lines; None where the format is not known."""
        if self._layout is None:
            return None
        found = columns(data, self._layout)
        if self._named is None and self._unread(found) * 2 > found.lines:
            self._layout, self._wait = None, 0  # the log goes on in another format
            self._sample.clear()
        return found

    def _unread(self, found: Columns) -> int:
        unread = found.results.count(b"")
        if self._layout is not None and self._layout.client_at is None:
            pairs = zip(found.results, found.clients, strict=True)
            return sum(not result and not client for result, client in pairs)
        return unread
