"""Letters over a real SMTP server: sent once, and honest about what became of them."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import subprocess
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.support import hostile
from tests.support.channels import Seen, channel, message
from tests.support.services import Loop
from tests.support.smtpd import CUT, MUTE, Smtpd
from warroom.channels.base import Delivery, Stage


@pytest.fixture
def smtpd(service_loop: Loop) -> Iterator[Callable[..., Smtpd]]:
    started: list[Smtpd] = []

    def start(**options: Any) -> Smtpd:
        server = Smtpd(service_loop, **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, its own authority, with its key beside it."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return made


def mail(server: Smtpd, limit: float = 5.0, attempt: float = 2.0, **options: Any) -> Any:
    usual = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "from": "incidents@shop.example",
        "to": ["all@shop.example", "board@shop.example"],
    }
    return channel("smtp", usual | options, limit=limit, attempt=attempt)


def parsed(server: Smtpd) -> EmailMessage:
    (letter,) = server.letters
    made = email.message_from_string(letter.content, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


async def test_a_letter_arrives_as_it_was_written(smtpd: Callable[..., Smtpd]) -> None:
    server = smtpd()
    text = "Ünïcode 漢字\n.\n..two dots\nFrom the start\n" + "long " * 300
    receipt = await mail(server).send(message(text=text), Seen())
    assert receipt.state is Delivery.SENT
    assert "SMTP 250 queued as 4711" in receipt.text
    (letter,) = server.letters
    assert letter.sender == "incidents@shop.example"
    assert letter.to == ["all@shop.example", "board@shop.example"]
    made = parsed(server)
    assert made.get_content().rstrip("\n") == text.rstrip("\n")
    assert made["Subject"] == "[P1] Checkout answers 502: investigating (INC-2026-11-21-001)"
    assert made["Message-ID"] == f"<{message().id}@shop.example>"
    assert made["References"] == f"<incident.{message().origin}@shop.example>"


async def test_the_last_letter_says_resolved(smtpd: Callable[..., Smtpd]) -> None:
    server = smtpd()
    await mail(server).send(message(stage=Stage.RESOLVED), Seen())
    assert ": resolved (" in parsed(server)["Subject"]


@pytest.mark.parametrize("name", hostile.CORPUS)
async def test_a_hostile_title_makes_no_header_and_no_recipient(
    smtpd: Callable[..., Smtpd], name: str
) -> None:
    server = smtpd()
    title = f"x\r\nBcc: evil@evil.example\r\n\r\nbody {hostile.CORPUS[name]} \ud800"
    receipt = await mail(server).send(message(title=title, text=f"a {title}"), Seen())
    assert receipt.state is Delivery.SENT
    made = parsed(server)
    assert "Bcc" not in made
    assert server.letters[0].to == ["all@shop.example", "board@shop.example"]
    assert "Bcc: evil" in made["Subject"]


async def test_a_login_over_starttls_sends_neither_password_nor_letter_in_the_clear(
    smtpd: Callable[..., Smtpd], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtpd(starttls=context(certificate), users={"shop": "s3cret"})
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    one = mail(
        server, host="localhost", security="starttls", user="shop", password="env:MAIL_PASSWORD",
        ca=str(certificate),
    )  # fmt: skip
    receipt = await one.send(message(), Seen())
    assert receipt.state is Delivery.SENT, receipt
    assert (server.letters[0].secure, server.letters[0].user) == (True, "shop")
    assert "s3cret" not in repr(one.__dict__) + receipt.text


async def test_tls_from_the_first_byte(smtpd: Callable[..., Smtpd], certificate: Path) -> None:
    server = smtpd(tls=context(certificate))
    one = mail(server, host="localhost", security="tls", ca=str(certificate))
    assert (await one.send(message(), Seen())).state is Delivery.SENT
    assert server.letters[0].secure


async def test_a_certificate_of_nobody_known_gets_no_letter(
    smtpd: Callable[..., Smtpd], certificate: Path
) -> None:
    for security in ("starttls", "tls"):
        server = smtpd(**{security: context(certificate)})
        receipt = await mail(server, host="localhost", security=security).send(message(), Seen())
        assert receipt.state is Delivery.FAILED
        assert "certificate is not valid here" in receipt.text
        assert not server.letters


async def test_a_server_without_starttls_gets_neither_password_nor_letter(
    smtpd: Callable[..., Smtpd], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtpd(users={"shop": "s3cret"})
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    one = mail(server, security="starttls", user="shop", password="env:MAIL_PASSWORD")
    receipt = await one.send(message(), Seen())
    assert (receipt.state, "offers no STARTTLS" in receipt.text) == (Delivery.FAILED, True)
    assert not any(line.startswith("AUTH") for line in server.sessions[0].lines)


async def test_a_wrong_password_fails_at_once_without_repeating_it(
    smtpd: Callable[..., Smtpd], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtpd(users={"shop": "right"})
    monkeypatch.setenv("MAIL_PASSWORD", "wr0ng")
    one = mail(server, user="shop", password="env:MAIL_PASSWORD")
    receipt = await one.send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "user or password: SMTP 535" in receipt.text
    assert "wr0ng" not in receipt.text
    assert len(server.sessions) == 1


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"MAIL": "550 not you"}, "the sender: SMTP 550 not you"),
        ({"MAIL": "451 later"}, "SMTP 451 later"),
        ({"RCPT": "550 nobody here"}, "SMTP 550 nobody here (for board@shop.example)"),
        ({"DATA": "554 no"}, "SMTP 554 no"),
        ({"END": "554 spam"}, "SMTP 554 spam"),
        ({"END": "452 disk full"}, "SMTP 452 disk full"),
    ],
)
async def test_what_the_server_refuses_has_failed_with_its_words(
    smtpd: Callable[..., Smtpd], answers: dict[str, str], said: str
) -> None:
    server = smtpd()
    server.answers = answers
    receipt = await mail(server).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert said in receipt.text
    assert not server.letters
    assert len(server.sessions) == 1


async def test_one_refused_recipient_is_named_and_the_others_are_told(
    smtpd: Callable[..., Smtpd],
) -> None:
    server = smtpd()
    server.answers = {"RCPT board@shop.example": "550 left long ago"}
    receipt = await mail(server).send(message(), Seen())
    assert receipt.state is Delivery.SENT
    assert "not to board@shop.example" in receipt.text
    assert server.letters[0].to == ["all@shop.example"]


@pytest.mark.parametrize("answer", [CUT, MUTE])
async def test_no_answer_after_the_letters_end_is_unknown_and_not_tried_again(
    smtpd: Callable[..., Smtpd], answer: str
) -> None:
    server = smtpd()
    server.answers = {"END": answer}
    async with asyncio.timeout(60):
        receipt = await mail(server, attempt=1.0, limit=3000).send(message(), Seen())
    assert receipt.state is Delivery.UNKNOWN
    assert "it may have arrived" in receipt.text
    assert len(server.letters) == 1
    assert len(server.sessions) == 1


async def test_a_letter_that_was_taken_is_sent_even_if_nobody_says_goodbye(
    smtpd: Callable[..., Smtpd],
) -> None:
    server = smtpd()
    server.answers = {"QUIT": MUTE}
    async with asyncio.timeout(60):
        receipt = await mail(server, attempt=600, limit=3000).send(message(), Seen())
    assert receipt.state is Delivery.SENT


@pytest.mark.parametrize("answers", [{"HELLO": CUT}, {"HELLO": "421 busy"}, {"MAIL": "421 busy"}])
async def test_a_server_that_took_nothing_is_tried_again(
    smtpd: Callable[..., Smtpd], answers: dict[str, str]
) -> None:
    server = smtpd()
    server.answers = answers
    seen = Seen()
    sending = asyncio.create_task(mail(server, limit=15).send(message(), seen))
    while not any("again in" in text for text in seen.texts):
        await asyncio.sleep(0.01)
    server.answers = {}
    receipt = await sending
    assert receipt.state is Delivery.SENT
    assert len(server.letters) == 1
    assert len(server.sessions) == 2


async def test_a_refused_connection_fails_in_the_end(smtpd: Callable[..., Smtpd]) -> None:
    server = smtpd()
    await asyncio.to_thread(server.refuse)
    receipt = await mail(server, limit=2).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert "connection refused; not within 2 s" in receipt.text


async def test_a_server_that_talks_for_ever_is_left(smtpd: Callable[..., Smtpd]) -> None:
    server = smtpd()
    server.answers = {"EHLO": "\r\n".join(["250-more"] * 200_000)}
    async with asyncio.timeout(60):
        receipt = await mail(server, limit=2, attempt=1).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert not server.letters


@pytest.mark.parametrize("name", hostile.CORPUS)
async def test_a_hostile_answer_is_one_harmless_line(
    smtpd: Callable[..., Smtpd], name: str
) -> None:
    server = smtpd()
    words = hostile.CORPUS[name].encode("utf-8").decode("latin-1").replace("\n", " ")
    server.answers = {"MAIL": f"550 {words}"}
    receipt = await mail(server).send(message(), Seen())
    assert receipt.state is Delivery.FAILED
    assert receipt.text.isprintable()


async def test_where_it_goes_names_people_and_server_only(smtpd: Callable[..., Smtpd]) -> None:
    server = smtpd()
    many = [f"p{n}@shop.example" for n in range(5)]
    assert await mail(server, to=many).where() == (
        "p0@shop.example, p1@shop.example, p2@shop.example and 2 more by 127.0.0.1"
    )
