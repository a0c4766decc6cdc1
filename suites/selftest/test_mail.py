"""The mail sink: what arrives is found by its recipient and decoded, and nobody waits longer than needed."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

import fixtures.mail
from fixtures.mail import MailSink

ANNA, BERT = "anna@example.com", "bert@example.com"
SOON = 5.0  # seconds; a deadline that a working sink never comes near


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink() as running:
        yield running


def send(sink: MailSink, raw: bytes | str, *to: str) -> None:
    host, port = sink.address.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), local_hostname="localhost", timeout=SOON) as session:
        session.sendmail("flow@example.com", to or [ANNA], raw if isinstance(raw, bytes) else raw.encode())


def received_text(sink: MailSink, raw: bytes | str) -> str:
    send(sink, raw)
    (mail,) = sink.wait(ANNA, SOON)
    return mail.text.rstrip("\r\n")


def test_a_mail_is_found_by_its_recipient(sink: MailSink) -> None:
    send(sink, "Subject: Hello\r\n\r\nWelcome")
    (mail,) = sink.wait(ANNA, SOON)
    assert (mail.to, mail.sender, mail.subject, mail.text) == (ANNA, "flow@example.com", "Hello", "Welcome\r\n")


def test_nobody_reads_the_mails_of_another(sink: MailSink) -> None:
    send(sink, "Subject: Hello\r\n\r\nWelcome")
    assert sink.wait(BERT, 0) == []


def test_each_recipient_of_a_mail_has_it(sink: MailSink) -> None:
    send(sink, "Subject: Both\r\n\r\n", ANNA, BERT)
    assert [sink.wait(to, SOON)[0].to for to in (ANNA, BERT)] == [ANNA, BERT]


def test_the_case_of_an_address_does_not_matter_but_is_kept(sink: MailSink) -> None:
    send(sink, "Subject: Hello\r\n\r\n", "Anna@Example.com")
    assert [mail.to for mail in sink.wait("ANNA@example.com", SOON)] == ["Anna@Example.com"]


def test_waiting_for_two_ends_with_the_second(sink: MailSink) -> None:
    send(sink, "Subject: 1\r\n\r\n")
    sender = threading.Timer(0.05, send, (sink, "Subject: 2\r\n\r\n"))
    sender.start()
    assert [mail.subject for mail in sink.wait(ANNA, SOON, count=2)] == ["1", "2"]
    sender.join()


def test_after_the_timeout_there_is_what_came(sink: MailSink) -> None:
    send(sink, "Subject: 1\r\n\r\n")
    started = time.monotonic()
    assert [mail.subject for mail in sink.wait(ANNA, 0.05, count=2)] == ["1"]
    assert time.monotonic() - started >= 0.05


def test_mails_of_eight_senders_at_once_all_arrive(sink: MailSink) -> None:
    senders = [threading.Thread(target=send, args=(sink, f"Subject: {i}\r\n\r\n")) for i in range(8)]
    for sender in senders:
        sender.start()
    assert {mail.subject for mail in sink.wait(ANNA, SOON, count=8)} == set("01234567")
    for sender in senders:
        sender.join()


def test_no_mail_waits_for_an_acknowledgement(sink: MailSink) -> None:
    started = time.monotonic()
    for _ in range(20):
        send(sink, "Subject: 1\r\n\r\n")
    assert time.monotonic() - started < 20 * 0.04  # what Nagle's algorithm and a delayed ACK would cost


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
def test_transfer_encodings_are_undone(sink: MailSink, encoding: str) -> None:
    message = EmailMessage()
    message.set_content("Grüße = 1", cte=encoding)
    assert received_text(sink, message.as_bytes()) == "Grüße = 1"


@pytest.mark.parametrize(
    ("charset", "word"),
    [("iso-8859-1", b"Gr\xfc\xdfe"), ("utf-16-be", "Grüße".encode("utf-16-be")), ("no-such", "Grüße".encode())],
)
def test_charsets_are_undone(sink: MailSink, charset: str, word: bytes) -> None:
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    encoded = "".join(f"={byte:02X}" for byte in word)
    assert received_text(sink, head + encoded + "=\r\n") == "Grüße"


def test_an_encoded_subject_is_decoded(sink: MailSink) -> None:
    send(sink, "Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n\r\n")
    assert sink.wait(ANNA, SOON)[0].subject == "Grüße"


def test_plain_text_is_preferred_to_html(sink: MailSink) -> None:
    message = EmailMessage()
    message.set_content("code 1")
    message.add_alternative("<b>code 1</b>", subtype="html")
    assert received_text(sink, message.as_bytes()) == "code 1"


def test_html_is_the_text_when_there_is_no_other(sink: MailSink) -> None:
    message = EmailMessage()
    message.set_content("<b>code 1</b>", subtype="html")
    assert received_text(sink, message.as_bytes()) == "<b>code 1</b>"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe no header at all",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/plain; charset=\xff\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%%",
        b"Subject: \xff\xfe\r\nContent-Type: ;;;\r\n\r\n\xff",
        b"Content-Type: text/plain; charset*=utf-8''%ff%00\r\n\r\nx",
    ],
    ids=["empty", "bytes", "no boundary", "bad base64", "bad header", "bad charset"],
)
def test_a_broken_mail_arrives_all_the_same(sink: MailSink, raw: bytes) -> None:
    send(sink, raw)
    assert len(sink.wait(ANNA, SOON)) == 1


def test_a_mail_that_is_too_large_is_refused(sink: MailSink) -> None:
    with pytest.raises(smtplib.SMTPResponseException) as refusal:
        send(sink, b"x" * (fixtures.mail.MAX_MAIL + 1))
    assert refusal.value.smtp_code == 552


def test_the_oldest_mails_make_room(sink: MailSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures.mail, "ROOM", 2_500)
    for subject in "abcd":
        send(sink, f"Subject: {subject}\r\n\r\n{'x' * 980}", ANNA if subject != "b" else BERT)
    assert ([mail.subject for mail in sink.wait(ANNA, 0)], sink.wait(BERT, 0)) == (["c", "d"], [])


def test_the_given_port_is_the_one_it_listens_on() -> None:
    with MailSink() as first:
        port = int(first.address.rsplit(":", 1)[1])
    with MailSink("127.0.0.1", port) as second:
        assert second.address == f"127.0.0.1:{port}"


def test_a_taken_port_is_told_with_the_variable_to_set(sink: MailSink) -> None:
    port = int(sink.address.rsplit(":", 1)[1])
    with pytest.raises(OSError, match=rf"free port at 127\.0\.0\.1:{port}.*FLOWBACK_SMTP"), MailSink("127.0.0.1", port):
        pass


def test_it_ends_though_a_session_is_open(capfd: pytest.CaptureFixture[str]) -> None:
    with MailSink() as sink:
        host, port = sink.address.rsplit(":", 1)
        session = socket.create_connection((host, int(port)), SOON)
        assert session.recv(3) == b"220"
        started = time.monotonic()
    with session:
        assert time.monotonic() - started < SOON
    assert capfd.readouterr().err == ""
