"""JSON over HTTP with patience: what passes by itself is tried again, everything else becomes an error with a mend."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import Problem, UnavailableError
from envcompile.forge.patience import LONGEST_WAIT, pause, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message
    from urllib.request import OpenerDirector

TRIES = 4
"""How often a request is sent before its failure counts."""
TIMEOUT = 20.0
"""Seconds until a host that says nothing counts as gone."""
_REDIRECTS = frozenset({301, 302, 307, 308})
_MOST_REDIRECTS = 5


class Answer(NamedTuple):
    """What the host said."""

    status: int
    headers: Mapping[str, str]
    value: Any


class Reply(NamedTuple):
    """One answer as it came."""

    status: int
    """0 when there is no answer."""
    headers: Mapping[str, str]
    """By names in lower case."""
    data: bytes
    why: str = ""
    """Why there is no answer."""


class RefusedError(UnavailableError):
    """The host understood the request and refuses it."""

    def __init__(self, status: int, what: str, fix: str) -> None:
        self.status = status
        super().__init__([Problem(what, fix)])


class Client:
    """Requests to one host's API.

    Env vars choose a proxy (HTTPS_PROXY, NO_PROXY) and further authorities for certificates (SSL_CERT_FILE). Redirects
    are followed within the same scheme, host and port only: the token goes nowhere else.

    Args:
        address: where the API begins, such as `https://api.github.com`.
        headers: sent with every request; they hold the token and appear in no message.
        name: how messages call the host.
        wait: sleeps for seconds between tries.
        shown: the address as messages may show it, where the real one is a secret.
        chance: a number from 0 to 1 that spreads the tries of jobs which failed together.
        advice: what the message about a refused token adds.
    """

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        name: str,
        wait: Callable[[float], None] = time.sleep,
        shown: str | None = None,
        *,
        chance: Callable[[], float] | None = None,
        advice: str = "",
    ) -> None:
        self._address = address.rstrip("/") if shown is None else address
        self._shown = shown or self._address
        self._headers = dict(headers)
        self._name = name
        self._wait = wait
        self._chance = chance or _dice
        self._advice = advice
        self._opener: OpenerDirector | None = None

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request.

        Args:
            method: the HTTP method.
            path: the way below the API's address, with its query.
            body: sent as JSON when not None.

        Raises:
            RefusedError: the host says no.
            UnavailableError: the host does not answer, or keeps failing.
        """
        reply = self._try(method, path, body)
        return Answer(reply.status, reply.headers, self._read(reply.data))

    def _try(self, method: str, path: str, body: Any) -> Reply:
        if not self._address.startswith(("https://", "http://")):
            raise UnavailableError([Problem(f"{self._name} has no web address", "set the API's URL: https://…")])
        url = f"{self._address}{path}"
        for attempt in range(1, TRIES + 1):
            reply = self._send(method, url, body)
            for _ in range(_MOST_REDIRECTS):
                target = _target(url, reply)
                if not target:
                    break
                url = target
                reply = self._send(method, url, body)
            if 200 <= reply.status < 300:
                return reply
            seconds = pause(reply.status, reply.headers, reply.data, attempt, time.time(), self._chance())
            if seconds is None:
                raise self._refusal(reply, method, path)
            # A second is what chance adds to what the host asks for.
            if attempt == TRIES or seconds > LONGEST_WAIT + 1:
                raise UnavailableError([self._exhausted(reply, seconds)])
            self._wait(seconds)
        raise AssertionError("every try returns, raises or waits")

    def post(self, body: Any) -> None:
        """Send a body to the very address, whatever the receiver answers with.

        Raises:
            RefusedError: the receiver says no.
            UnavailableError: it does not answer, or keeps failing.
        """
        self._try("POST", "", body)

    def _send(self, method: str, url: str, body: Any) -> Reply:
        # Imported when something is sent: a dry run would wait for them in vain.
        import urllib.error
        import urllib.request
        from http.client import HTTPException

        if self._opener is None:
            self._opener = _opener()
        data = json.dumps(body).encode() if body is not None else None
        headers = {**self._headers, "User-Agent": "envcompile"}
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            request = urllib.request.Request(  # ruff: ignore[suspicious-url-open-usage] - `_try` lets only http and https through
                url, data=data, headers=headers, method=method
            )
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return Reply(answer.status, _lowered(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, _lowered(error.headers), error.read(65_536))
        except urllib.error.URLError as error:
            return Reply(0, {}, b"", self._explain(error.reason))
        except (OSError, HTTPException) as error:
            return Reply(0, {}, b"", self._explain(error))
        except ValueError:
            what = f"no request to {self._name} can be written: the token or the URL holds a sign that may not be there"
            fix = "look for blanks and line breaks in them"
            raise UnavailableError([Problem(what, fix)]) from None

    def _explain(self, error: BaseException | str) -> str:
        """Why there is no answer.

        Raises:
            UnavailableError: another try would get the same.
        """
        import ssl

        if isinstance(error, ssl.SSLCertVerificationError):
            what = f"the certificate of {self._name} at {self._shown} is not trusted: {error.verify_message}"
            fix = "name a file with your organisation's certificate authorities in the env var SSL_CERT_FILE"
            raise UnavailableError([Problem(what, fix)]) from None
        if isinstance(error, OSError):
            return error.strerror or str(error)
        return ""

    def _read(self, data: bytes) -> Any:
        if not data.strip():
            return None
        try:
            return json.loads(data)
        except ValueError as error:
            what = f"{self._name} answers with something that is no JSON"
            raise UnavailableError([Problem(what, f"check the API's URL {self._shown}")]) from error

    def _exhausted(self, reply: Reply, seconds: float) -> Problem:
        if reply.status == 0:
            why = f" ({reply.why})" if reply.why else ""
            what = f"{self._name} at {self._shown} does not answer{why}"
            return Problem(what, "try again later, or check the URL and the proxy")
        if seconds > LONGEST_WAIT:
            what = (
                f"{self._name} asks to wait {int(seconds)} seconds before the next request: its rate limit is used up"
            )
            return Problem(what, "run the job again later")
        return Problem(f"{self._name} answered {reply.status} {TRIES} times in a row", "try again later")

    def _refusal(self, reply: Reply, method: str, path: str) -> RefusedError:
        said = reason(reply.data)
        what = f"{self._name} refuses {method} {path.partition('?')[0]}: {reply.status}{f' {said}' if said else ''}"
        return RefusedError(reply.status, what, self._mend(reply, said.lower()))

    def _mend(self, reply: Reply, said: str) -> str:
        if "locked" in said:
            return "the conversation of this pull request is locked: unlock it, or read the file of `--output`"
        if "too long" in said:
            return "give a smaller size with `--limit`"
        if reply.status in _REDIRECTS:
            return f"the token is not sent on to {_origin(reply.headers.get('location', ''))}: check the API's URL"
        return {
            401: f"the token is wrong or has expired: set a valid one{self._advice}",
            403: "the token may not write comments: give the job `pull-requests: write` (GitHub) or a token with the"
            " scope `api` (GitLab)",
            404: "check the repository's name and the number; a token that may not read the repository gets 404, too",
            422: "the host did not take the comment's text",
        }.get(reply.status, f"check the API's URL {self._shown}")


def _dice() -> float:
    return os.urandom(1)[0] / 255


def _lowered(headers: Message) -> dict[str, str]:
    return {key.lower(): text for key, text in headers.items()}


def _target(url: str, reply: Reply) -> str:
    """Where a request is to be repeated as it stands; empty when it is not, or not with the token."""
    from urllib.parse import urljoin

    location = reply.headers.get("location", "")
    if reply.status not in _REDIRECTS or not location:
        return ""
    target = urljoin(url, location)
    return target if _origin(target) == _origin(url) else ""


def _origin(url: str) -> str:
    """Scheme, host and port of an address, without user and password."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def _opener() -> OpenerDirector:
    """Opens addresses through the proxy of the env vars; redirects are followed by `_try`, which keeps the body."""
    import urllib.request

    class NoRedirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(  # ruff: ignore[no-self-use] - urllib calls it
            self, *_arguments: Any, **_named: Any
        ) -> None:
            return None

    return urllib.request.build_opener(NoRedirects())
