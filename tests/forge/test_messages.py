"""Messages arrive in the format that each receiver understands, and addresses stay secret."""

from __future__ import annotations

import pytest

from envcompile.errors import UnavailableError
from envcompile.forge.messages import Message, deliver
from tests.forge.receivers import running_mail_server, running_webhook

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
