"""Messages arrive in the format that each receiver understands, and addresses stay secret."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UnavailableError
from envcompile.forge.messages import Message, deliver
from tests.forge.receivers import running_mail_server, running_webhook
from tests.secrets.servers import server_certificate

if TYPE_CHECKING:
    from pathlib import Path

DATA = {"environment": "prod", "commit": "ab12", "changed": 1}
MESSAGE = Message("prod: 1 changed", "changed <Deployment/web> & more", DATA)
EVENT = {
    "specversion": "1.0",
    "type": "dev.envcompile.environment.changed",
    "source": "envcompile",
    "id": "ab12/prod",
    "subject": "prod",
    "datacontenttype": "application/json",
    "data": DATA,
}


@pytest.mark.parametrize(
    ("kind", "content_type", "body"),
    [
        ("webhook", "application/json", DATA),
        ("slack", "application/json", {"text": "*prod: 1 changed*\nchanged &lt;Deployment/web&gt; &amp; more"}),
        ("cloudevents", "application/cloudevents+json", EVENT),
    ],
)
def test_each_receiver_gets_its_format(kind: str, content_type: str, body: object) -> None:
    """Slack's text is escaped; a CloudEvent says what it is in its content type."""
    with running_webhook() as inbox:
        deliver(kind, inbox.address, "HOOK", MESSAGE)
    assert inbox.received == [(content_type, body)]


def test_mail_has_subject_and_text() -> None:
    """Sender and receiver come from the address."""
    with running_mail_server() as inbox:
        deliver("email", inbox.address, "MAIL", MESSAGE)
    ((receiver, text),) = inbox.received
    assert receiver == "team@example.com"
    assert "Subject: prod: 1 changed\r\n" in text
    assert "changed <Deployment/web> & more\r\n" in text


def test_a_title_adds_no_line_to_the_head() -> None:
    """Whatever names a title is made of."""
    with running_mail_server() as inbox:
        deliver("email", inbox.address, "MAIL", Message("prod\r\nBcc: somebody@example.com", "text", DATA))
    ((_, text),) = inbox.received
    assert "Subject: prod Bcc: somebody@example.com\r\n" in text


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_goes_to_a_server_that_somebody_vouches_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Neither the password nor the message to one whose certificate nobody signed, whichever way it is encrypted."""
    now = datetime.now(UTC)
    pki = server_certificate(tmp_path, now - timedelta(days=1), now + timedelta(days=1))
    said: list[str] = []

    def talk(connection: socket.socket) -> None:
        plain = connection.makefile("rwb", buffering=0)
        if scheme == "smtp":
            plain.write(b"220 here\r\n")
            plain.readline()
            plain.write(b"250-here\r\n250 STARTTLS\r\n")
            plain.readline()
            plain.write(b"220 go on\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pki)
        with context.wrap_socket(connection, server_side=True) as secret, secret.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 here\r\n" if scheme == "smtps" else b"")
            said.append(lines.readline().decode())

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            talk(connection)

    for trusted, heard in ((None, []), (str(pki[0]), ["EHLO"])):
        said.clear()
        if trusted is not None:
            monkeypatch.setenv("SSL_CERT_FILE", trusted)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=serve, args=(listener,))
            thread.start()
            address = f"{scheme}://user:canary@127.0.0.1:{listener.getsockname()[1]}/?from=a@x.io&to=b@x.io"
            with pytest.raises(UnavailableError, match="the mail server of MAIL does not take the message"):
                deliver("email", address, "MAIL", MESSAGE)
            thread.join()
        assert [line.upper()[:4] for line in said if line] == heard


def test_a_password_is_never_sent_in_clear() -> None:
    """A server without encryption gets neither the password nor the message."""
    with running_mail_server() as inbox:
        address = inbox.address.replace("smtp://", "smtp://user:canary@")
        with pytest.raises(UnavailableError, match="the mail server of MAIL offers no encryption\nhint: use smtps://"):
            deliver("email", address, "MAIL", MESSAGE)
    assert inbox.received == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_refusal_names_the_variable_and_not_the_address(status: int) -> None:
    """Slack's address is its password."""
    waits: list[float] = []
    with running_webhook() as inbox:
        inbox.status = status
        with pytest.raises(UnavailableError) as caught:
            deliver("slack", inbox.address, "HOOK", MESSAGE, wait=waits.append)
    assert "canary" not in str(caught.value)
    assert len(waits) == (3 if status == 500 else 0)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("slack", "http://127.0.0.1:9/canary"),
        ("slack", "http://[canary"),
        ("slack", "file:///canary"),
        ("email", "smtp://127.0.0.1:9/?from=canary@x.io&to=b@x.io"),
        ("email", "smtp://127.0.0.1:canary/"),
        ("email", "https://canary"),
    ],
)
def test_an_address_that_does_not_work_is_not_shown(kind: str, address: str) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(UnavailableError) as caught:
        deliver(kind, address, "HOOK", MESSAGE, wait=lambda _: None)
    assert "canary" not in str(caught.value)
