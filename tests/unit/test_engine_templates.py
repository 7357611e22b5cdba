"""Templates as files: whatever the path leads to, the console goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warroom.engine.templates import LIMIT, TemplateError, read


def test_a_pipe_is_refused_at_once_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.md.j2")
    with pytest.raises(TemplateError, match="not a regular file"):
        read("own.md.j2", tmp_path)


def test_a_device_that_never_ends_is_refused() -> None:
    with pytest.raises(TemplateError, match="not a regular file"):
        read("/dev/zero")


def test_a_file_is_taken_up_to_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "own.md.j2"
    file.write_text("x" * LIMIT)
    assert len(read("own.md.j2", tmp_path).text) == LIMIT
    file.write_text("x" * (LIMIT + 1))
    with pytest.raises(TemplateError, match="larger than 256 KiB"):
        read("own.md.j2", tmp_path)
