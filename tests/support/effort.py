"""How much work something is, whatever else the machine does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(cpu_s: float) -> Iterator[None]:
    """What is done inside takes no more than so many seconds of the processor, in all threads of
    this process. Time in which others have the processor does not count."""
    began = time.process_time()
    yield
    took = time.process_time() - began
    assert took < cpu_s, f"{took:.2f} s of the processor, at most {cpu_s} s"
