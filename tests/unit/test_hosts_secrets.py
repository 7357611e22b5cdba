"""Secrets come from the environment, a file of one's own, or a command; never into a message."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warroom.config.settings import HostSettings, Settings
from warroom.config.values import Secret
from warroom.hosts.base import HostError
from warroom.hosts.connect import host_for
from warroom.hosts.local import LocalHost
from warroom.hosts.secrets import SecretError, reveal
from warroom.hosts.ssh import SshHost

VALUE = "hunter2-\U0001f511"


async def revealed(reference: str) -> str:
    return await reveal(Secret(reference), LocalHost())


async def refused(reference: str) -> str:
    with pytest.raises(SecretError) as caught:
        await revealed(reference)
    message = str(caught.value)
    assert "\n" not in message
    assert VALUE not in message
    return message


def file_with(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


async def test_what_is_no_reference_is_the_value_itself() -> None:
    assert await revealed("redis://127.0.0.1:6379/0") == "redis://127.0.0.1:6379/0"


async def test_a_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", VALUE)
    assert await revealed("env:A_SECRET") == VALUE


async def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_SECRET", raising=False)
    assert await refused("env:A_SECRET") == (
        "env:A_SECRET is not set in the environment of the console"
    )


async def test_the_first_line_of_a_private_file(tmp_path: Path) -> None:
    path = file_with(tmp_path / "secret", VALUE.encode() + b"\r\nurl: elsewhere\n")
    assert await revealed(f"file:{path}") == VALUE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
async def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = file_with(tmp_path / "secret", VALUE.encode(), mode)
    assert await refused(f"file:{path}") == (
        f"file:{path} is open to others (mode {mode:04o}): chmod 600 it"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = file_with(tmp_path / "secret", VALUE.encode())
    os.chown(path, 12345, 12345)
    assert await refused(f"file:{path}") == (
        f"file:{path} belongs to another user; it must be yours or root's"
    )


async def test_files_that_hold_no_secret_say_why(tmp_path: Path) -> None:
    empty = file_with(tmp_path / "empty", b"\n")
    binary = file_with(tmp_path / "binary", b"\xff\xfe")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert await refused(f"file:{empty}") == f"file:{empty} is empty"
    assert await refused(f"file:{binary}") == f"file:{binary} is not UTF-8 text"
    assert await refused(f"file:{pipe}") == f"file:{pipe} is not a regular file"
    assert await refused(f"file:{tmp_path}/none") == (
        f"file:{tmp_path}/none cannot be read: no such file or directory"
    )


async def test_the_first_line_of_a_command_without_a_shell() -> None:
    assert await revealed(f"command:printf '%s\\n' '{VALUE}' more") == VALUE
    assert await revealed("command:echo $HOME") == "$HOME"


async def test_a_command_that_fails_is_named_by_its_program_alone() -> None:
    assert await refused(f"command:sh -c 'echo {VALUE}; echo {VALUE} >&2; exit 3'") == (
        "command:sh failed with exit code 3; run it by hand"
    )
    assert await refused("command:no-such-program --token x") == (
        "command:no-such-program: no-such-program is not installed here"
    )
    assert await refused("command:echo 'open") == "command: its quotes do not match"


async def test_a_hostile_reference_is_harmless_in_its_message() -> None:
    assert "\x1b" not in await refused("env:\x1b[31m\u202e")
    assert "\x1b" not in await refused("file:/\x1b[31m\0")


async def test_secrets_of_a_far_system_are_fetched_here() -> None:
    far = SshHost("web1", "no-such-host.invalid")
    assert await reveal(Secret("command:echo here"), far) == "here"


def test_a_name_of_the_config_is_a_host_and_no_name_is_this_machine() -> None:
    settings = Settings(hosts={"web1": HostSettings("deploy@web1")})
    assert isinstance(host_for("", settings), LocalHost)
    assert host_for("web1", settings).name == "web1"
    with pytest.raises(HostError, match=r'^no host is called "web2"; did you mean "web1"\?$'):
        host_for("web2", settings)
