"""Messages to receivers outside: Slack, any webhook, CloudEvents over HTTP, mail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from envcompile.errors import EnvcError, Problem, UnavailableError
from envcompile.forge.http import TIMEOUT, Client, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage


class Message(NamedTuple):
    """What happened to one environment, for people and for programs; it holds names and numbers, never values."""

    title: str
    text: str
    data: dict[str, Any]
    """The same for programs: `environment`, `commit` and counts, all of them JSON."""


def deliver(
    kind: str, address: str, variable: str, message: Message, *, wait: Callable[[float], None] = time.sleep
) -> None:
    """Hand a message over.

    Args:
        kind: `slack`, `webhook`, `cloudevents` or `email`.
        address: the receiver's URL; for mail `smtp[s]://user:password@host:port/?from=…&to=…`. It is a secret.
        variable: the env var it came from: the only name of it that messages show.
        message: what to say.
        wait: sleeps for seconds between tries.

    Raises:
        UnavailableError: the receiver refuses, or does not answer.
    """
    if kind == "email":
        _mail(address, variable, message)
        return
    body: Any = message.data
    headers = {}
    if kind == "slack":
        body = {"text": f"*{_slack(message.title)}*\n{_slack(message.text)}"}
    elif kind == "cloudevents":
        headers["Content-Type"] = "application/cloudevents+json"
        body = _event(message)
    try:
        Client(address, headers, "the receiver", wait, shown=f"${variable}").post(body)
    except RefusedError as refused:
        problem = Problem(
            f"the receiver at ${variable} refuses the message: {refused.status}", f"check the URL in {variable}"
        )
        raise UnavailableError([problem]) from None
    except EnvcError as error:
        raise UnavailableError(error.problems) from None


def _slack(text: str) -> str:
    """Source: docs.slack.dev/messaging/formatting-message-text, "Escaping text"."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _event(message: Message) -> dict[str, Any]:
    """Source: CloudEvents 1.0.2, JSON format; the id is the same whenever the same change is told again."""
    return {
        "specversion": "1.0",
        "type": "dev.envcompile.environment.changed",
        "source": "envcompile",
        "id": f"{message.data['commit']}/{message.data['environment']}",
        "subject": message.data["environment"],
        "datacontenttype": "application/json",
        "data": message.data,
    }


def _mail(address: str, variable: str, message: Message) -> None:
    import smtplib
    from email.message import EmailMessage

    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    asked = parse_qs(parts.query)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or not asked.get("from") or not asked.get("to"):
        fix = "write smtp://USER:PASSWORD@HOST:587/?from=envc@example.com&to=team@example.com"
        raise UnavailableError([Problem(f"{variable} holds no address for mail", fix)])
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"] = asked["from"][0]
    mail["To"] = ", ".join(asked["to"])
    mail.set_content(message.text)
    try:
        if parts.scheme == "smtps":
            with smtplib.SMTP_SSL(parts.hostname, port or 465, timeout=TIMEOUT, context=_trust()) as server:
                _send(server, parts.username, parts.password, mail)
        else:
            with smtplib.SMTP(parts.hostname, port or 587, timeout=TIMEOUT) as server:
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=_trust())
                elif parts.password:
                    problem = Problem(f"the mail server of {variable} offers no encryption", "use smtps://")
                    raise UnavailableError([problem])
                _send(server, parts.username, parts.password, mail)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        what = f"the mail server of {variable} does not take the message ({type(error).__name__})"
        raise UnavailableError([Problem(what, f"check host, port, user and password in {variable}")]) from None


def _trust() -> Any:
    """Whom a mail server has to be vouched for by; what `smtplib` takes by itself checks nothing."""
    import ssl

    return ssl.create_default_context()


def _send(server: Any, user: str | None, password: str | None, mail: EmailMessage) -> None:
    if user and password:
        server.login(unquote(user), unquote(password))
    server.send_message(mail)
