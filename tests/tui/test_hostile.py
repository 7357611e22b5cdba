"""Whatever arrives from outside, the terminal gets text: raw bytes on a real terminal prove it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from tests.services.postgres_clients import tcp
from tests.support.cli import Shell, output_of, written
from tests.support.hostile import BAD_BYTES, CORPUS, MARKUP, SEQUENCES, everything, line, reached
from tests.support.services import DockerEngine, HttpService, Loop
from tests.support.terminal import Terminal, console
from warroom.domain.clock import SystemClock
from warroom.domain.events import Author
from warroom.domain.severity import SCHEMES
from warroom.drill.stack.postgres import Postgres
from warroom.drill.stack.redis import Redis
from warroom.engine.session import Session
from warroom.journal.sqlite import SqliteJournal

TEN_MB = 10 * 1024 * 1024


def is_unharmed(terminal: Terminal) -> None:
    """The console is alive, drawn and answers; its terminal has been told nothing foreign."""
    terminal.keys("?")
    terminal.sees("esc close")
    terminal.keys("q")
    terminal.loses("esc close")
    terminal.keys("q")
    assert terminal.ends() == 0
    assert reached(bytes(terminal.raw)) == []


def click_does_nothing(terminal: Terminal) -> None:
    """What looks like a link into the console is text."""
    column, row = terminal.place("click-here")
    terminal.click(column + 2, row)
    terminal.sees("click-here")


def log_of(folder: Path) -> tuple[Path, str]:
    path = folder / "api.log"
    path.touch()
    return path, f'[[log]]\nname = "api"\npath = "{path}"\n'


def test_the_judge_knows_one_of_every_class() -> None:
    for name, text in SEQUENCES.items():
        assert reached(f"before {text} after".encode()), name
    assert not reached(b"\x1b[?1049h\x1b[1;1H\x1b[38;2;1;2;3mtext\x1b[0m\r\n\x1b[<u")


def test_a_log_line(tmp_path: Path) -> None:
    path, entry = log_of(tmp_path)
    with path.open("wb") as log:
        for name in CORPUS:
            log.write(line(name).replace("\u2028", "").encode() + b"\n")
        for name, data in BAD_BYTES.items():
            log.write(f"{name} ".encode() + data + f" end-{name}\n".encode())
        log.write(b"x\n")
    shell = Shell(tmp_path, written(tmp_path, entry))
    assert shell.config is not None
    shell("incident", "new", "Checkout 5xx", "--severity", "P1")
    with console(tmp_path, shell.config) as terminal:
        terminal.sees("logs", "Checkout 5xx")
        terminal.keys("2z")
        terminal.sees(*(f"end-{name}" for name in (*CORPUS, *BAD_BYTES)))
        click_does_nothing(terminal)
        terminal.keys("/end-markup-click\r")
        terminal.sees("/end-markup-click", "1 of ")
        terminal.keys("\r")  # all about the line
        terminal.sees("esc close")
        terminal.keys("q")
        terminal.loses("esc close")
        terminal.keys("p")  # into the timeline
        terminal.sees("pinned to the timeline")
        is_unharmed(terminal)
    assert "[@click=app.exit]" in shell("incident", "show").out


def test_a_log_line_of_ten_megabytes(tmp_path: Path) -> None:
    path, entry = log_of(tmp_path)
    with path.open("wb") as log:
        log.write(b"begin-long " + everything().encode().replace(b"\xe2\x80\xa8", b"") * 3)
        log.write(b"\x1b]52;c;UFdO\x07" * (TEN_MB // 13) + b"\nafter the flood\n")
    with console(tmp_path, written(tmp_path, entry)) as terminal:
        terminal.sees("after the flood")
        terminal.keys("2kw")  # to the long line, and wrap it
        terminal.sees("wrap")
        terminal.keys("k\r")
        terminal.sees("esc close")
        terminal.keys("q")
        terminal.loses("esc close")
        is_unharmed(terminal)


@pytest.mark.service("docker")
def test_a_container(tmp_path: Path, docker_engine: DockerEngine) -> None:
    """Docker restricts names; labels, environment, health output, command and logs are free."""
    says = f"printf '%s\\n' {_quoted(everything())}"
    labels = {
        "com.docker.compose.project": MARKUP["markup-close"] + "\x1b]0;PWN-window\x07",
        "com.docker.compose.service": MARKUP["markup-click"],
        "note": everything(),
    }
    docker_engine.run(
        "hostile", "sh", "-c", f"{says}; sleep 3600", labels=labels, health=f"{says}; exit 1"
    )
    config = written(
        tmp_path,
        f'[[probe]]\nkind = "docker"\nsocket = "{docker_engine.socket}"\n',
        '[[log]]\nname = "box"\ncontainer = "hostile"\n',
    )
    try:
        with console(tmp_path, config, size=(240, 70)) as terminal:
            terminal.sees("docker", "hostile", "unhealthy", "end-csi-cursor")
            terminal.keys("1z")
            terminal.sees("[@click=app.exit]")
            click_does_nothing(terminal)
            terminal.keys("/hostile\r\r")
            terminal.sees("esc close", "label", "end-csi-cursor")
            terminal.keys("G")
            terminal.keys("q")
            terminal.loses("esc close")
            is_unharmed(terminal)
    finally:
        docker_engine.docker("rm", "--force", "hostile")


def _quoted(text: str) -> str:
    """As one word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def test_an_http_body_and_its_headers(
    tmp_path: Path, http_service: Callable[..., HttpService]
) -> None:
    service = http_service()
    parts = {line(name): {"status": "DOWN", "details": {"why": line(name)}} for name in CORPUS}
    body = json.dumps({"status": "DOWN", "components": parts})
    headers = {"Content-Type": "application/json", "X-Note": "\x9d52;c;UFdOLTUy\x9c [/x] note"}
    service.respond("/json", 503, body, headers)
    service.respond("/text", 500, everything().encode() + b"\xff\xfe" + b"A" * 2 * TEN_MB)
    service.respond("/type", 200, "ok", {"Content-Type": "text/plain; charset=\x9b31m[/x]"})
    service.respond("/away", 302, "", {"Location": "http://pwn.example/\x9b77;65H[/x]\u00ad"})
    paths = ("json", "text", "type", "away")
    config = written(
        tmp_path,
        *(
            f'[[probe]]\nkind = "http"\nname = "{path}"\nurl = "{service.url}/{path}"\n'
            for path in paths
        ),
    )
    with console(tmp_path, config, size=(240, 70)) as terminal:
        terminal.sees(*paths, "503", "500")
        terminal.keys("1z")
        for _ in paths:
            terminal.keys("\r")
            terminal.sees("esc close")
            terminal.keys("G")
            terminal.keys("q")
            terminal.loses("esc close")
            terminal.keys("j")
        is_unharmed(terminal)


@pytest.mark.service("postgres")
def test_a_query_and_the_name_of_its_application(
    tmp_path: Path, postgres_server: Postgres, service_loop: Loop
) -> None:
    sessions = []
    running = []

    async def run(name: str) -> None:
        own = {"application_name": CORPUS[name]}
        session = await asyncpg.connect(postgres_server.dsn(), server_settings=own)
        sessions.append(session)
        sql = f"SELECT /* {line(name)} */ pg_sleep(600)"
        running.append(asyncio.ensure_future(session.execute(sql)))

    async def end() -> None:
        for session in sessions:
            session.terminate()
        await asyncio.gather(*running, return_exceptions=True)

    config = written(tmp_path, f'[[probe]]\nkind = "postgres"\ndsn = "{postgres_server.dsn()}"\n')
    try:
        for name in CORPUS:
            service_loop.run(run(name))
        with console(tmp_path, config, size=(260, 60)) as terminal:
            terminal.sees("postgres", "pg_sleep")
            terminal.keys("1z")
            terminal.sees(*(f"end-{name}" for name in CORPUS))
            click_does_nothing(terminal)
            terminal.keys("/end-osc-clipboard-c1\r\r")
            terminal.sees("esc close", "end-osc-clipboard-c1")
            terminal.keys("q")
            terminal.loses("esc close")
            is_unharmed(terminal)
    finally:
        service_loop.run(end())


@pytest.mark.service("redis")
def test_a_redis_key_and_a_slow_command(tmp_path: Path, redis_server: Redis) -> None:
    def cli(*words: str | bytes) -> None:
        argv = ["redis-cli", "-p", str(redis_server.port), *words]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)

    before = output_of(
        ["redis-cli", "-p", str(redis_server.port), "CONFIG", "GET", "slowlog-log-slower-than"]
    ).split()[1]
    cli("SLOWLOG", "RESET")
    cli("CONFIG", "SET", "slowlog-log-slower-than", "0")
    for name in CORPUS:
        cli("SET", line(name), everything())
    cli("SET", b"bytes-utf8 " + BAD_BYTES["bytes-utf8"], b"\xff")
    cli("CONFIG", "SET", "slowlog-log-slower-than", "-1")
    config = written(
        tmp_path, f'[[probe]]\nkind = "redis"\nurl = "{redis_server.url}"\nslowlog = 60\n'
    )
    try:
        with console(tmp_path, config, size=(200, 60)) as terminal:
            terminal.sees("redis", "slow command")
            terminal.keys("1z")
            terminal.sees("bytes-utf8", *(f"end-{name}" for name in CORPUS))
            click_does_nothing(terminal)
            terminal.keys("/end-markup-click\r\r")
            terminal.sees("esc close", "end-markup-click")
            terminal.keys("q")
            terminal.loses("esc close")
            is_unharmed(terminal)
    finally:
        cli("CONFIG", "SET", "slowlog-log-slower-than", before)
        cli("SLOWLOG", "RESET")
        cli("FLUSHALL")


def test_a_note_a_title_and_a_name(tmp_path: Path) -> None:
    """From the command line, by paste, and as somebody's login."""
    _, entry = log_of(tmp_path)
    shell = Shell(tmp_path, written(tmp_path, entry))
    assert shell.config is not None
    hostile = "[/x]\x1b]0;PWN-window\x07"
    who = {"USER": hostile, "SUDO_USER": hostile, "SSH_CONNECTION": f"{hostile} 22 x 22"}
    shell("incident", "new", "title " + everything(), "--severity", "P1", env=who)
    shell("note", line("osc-window"), env=who)
    asyncio.run(_note(tmp_path / "journal.db", [line(name) for name in CORPUS]))
    with console(tmp_path, shell.config, size=(240, 70), env=who) as terminal:
        terminal.sees("title csi-cursor", "end-markup-open")
        terminal.keys("t")
        terminal.sees(*(f"end-{name}" for name in CORPUS))
        click_does_nothing(terminal)
        terminal.keys("e")  # the form, with the text in it
        terminal.sees("$EDITOR")
        terminal.keys("\x1b")
        terminal.loses("$EDITOR")
        terminal.keys("q")
        terminal.loses("in the post-mortem")
        terminal.keys("c1")  # whom? oneself, as the placeholder says
        terminal.sees("incident commander")
        terminal.keys("\r")
        terminal.keys("n")
        terminal.sees(" note ")
        terminal.keys("\x1b[200~pasted \x9d52;c;UFdOLTUy\x9c [/x] \u202e end-paste\x1b[201~\r")
        terminal.sees("end-paste")
        is_unharmed(terminal)
    for told in (shell("incident", "show"), shell("incident", "list"), shell("export")):
        assert reached(told.out.encode()) == []


async def _note(file: Path, texts: list[str]) -> None:
    """Notes as a console writes them."""
    journal = SqliteJournal(file)
    session = Session(journal, SystemClock(), Author("alice", 1000), SCHEMES["P0-P3"])
    await session.resume()
    for text in texts:
        await session.note(text)
    await journal.close()


def test_a_file_name(tmp_path: Path) -> None:
    for name in ("osc-window", "csi-c1", "markup-close", "bidi"):
        (tmp_path / f"{name} {CORPUS[name].replace('/', '_')} end.log").write_text("a line\n")
    names = [path.name for path in sorted(tmp_path.iterdir())]
    entries = [
        f'[[log]]\nname = "log{number}"\npath = {json.dumps(str(tmp_path / name))}\n'
        for number, name in enumerate(names)
    ]
    gone = json.dumps(str(tmp_path / ("gone " + CORPUS["osc-clipboard"].replace("/", "_"))))
    config = written(tmp_path, *entries, f'[[log]]\nname = "gone"\npath = {gone}\n')
    with console(tmp_path, config) as terminal:
        terminal.sees("logs", "a line", "gone")
        is_unharmed(terminal)
    shell = Shell(tmp_path)
    told = shell("top", str(tmp_path / names[0]), str(tmp_path / "no \x1b]0;PWN\x07"), status=1)
    assert reached(told.out.encode() + told.err.encode()) == []


def test_the_arguments_of_a_process(tmp_path: Path) -> None:
    spin = "spinning = True\nwhile spinning: pass"
    with subprocess.Popen([sys.executable, "-c", spin, everything()]) as busy:
        try:
            config = written(tmp_path, '[[probe]]\nkind = "machine"\nprocesses = 200\n')
            with console(tmp_path, config, size=(240, 70)) as terminal:
                terminal.sees("machine", "spinning")
                terminal.keys("1z/spinning\r\r")
                terminal.sees("esc close", "end-csi-cursor")
                terminal.keys("q")
                terminal.loses("esc close")
                is_unharmed(terminal)
        finally:
            busy.kill()


def test_a_config_and_its_mistakes(tmp_path: Path) -> None:
    """Titles of actions stand in the palette, which Textual draws; mistakes on stderr."""
    titles = "\n".join(
        f'[[mitigation]]\nkind = "docker.restart"\ncontainer = "shop"\ntitle = {json.dumps(title)}'
        for title in MARKUP.values()
    )
    socket = tmp_path / "no.sock"
    config = written(tmp_path, f'[[probe]]\nkind = "docker"\nsocket = "{socket}"\n', titles)
    with console(tmp_path, config) as terminal:
        terminal.sees("docker", "no.sock")
        terminal.keys("m")
        terminal.sees("act on", "[@click=app", "[/x]", "esc cancel")
        terminal.keys("q")
        terminal.loses("esc cancel")
        for wanted in ("click-here", "[/x]", "[bold red on blue]red"):
            terminal.keys("\x10" + wanted[:8])  # the palette
            terminal.sees(wanted, "shows its card first")
            terminal.keys("\x1b")
            terminal.loses("shows its card first")
        is_unharmed(terminal)
    key = json.dumps(everything(), ensure_ascii=False).replace("\x7f", "\\u007f")
    wrong = written(tmp_path, f"[console]\n{key} = 1\ntheme = {key}\n")
    with console(tmp_path, wrong) as terminal:
        assert terminal.ends() == 2
        assert "unknown key" in terminal.text
        assert reached(bytes(terminal.raw)) == []


@pytest.mark.service("postgres")
def test_what_servers_answer_in_refusing_us(
    tmp_path: Path, postgres_server: Postgres, service_loop: Loop
) -> None:
    """An error message of a server, and a greeting in no protocol at all."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR " + everything().encode() + b"\r\n")
        await reader.read(1000)
        writer.close()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(greet, "127.0.0.1", 0)

    server = service_loop.run(listen())
    port = server.sockets[0].getsockname()[1]
    user = "%1B%5D0;PWN-window%07%5B/x%5D"
    config = written(
        tmp_path,
        f'[[probe]]\nkind = "postgres"\ndsn = "{tcp(postgres_server, user, "x")}"\n'.replace(
            ":x@", "@"
        ),
        f'[[probe]]\nkind = "postgres"\nname = "pg"\ndsn = "postgresql://a@127.0.0.1:{port}/b"\n',
        f'[[probe]]\nkind = "redis"\nurl = "redis://127.0.0.1:{port}/0"\n',
        f'[[probe]]\nkind = "http"\nname = "api"\nurl = "http://127.0.0.1:{port}/"\n',
    )
    try:
        with console(tmp_path, config, size=(240, 70)) as terminal:
            terminal.sees("postgres", "redis", "api", "password")
            is_unharmed(terminal)
        told = Shell(tmp_path, config)("check", status=2)
        assert reached(told.out.encode()) == []
        assert len(told.out.splitlines()) == 4
    finally:
        server.close()
