"""JSON over HTTP with patience: what passes by itself is tried again, everything else becomes an error with a mend."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.request import OpenerDirector

TRIES = 4
"""How often a request is sent before its failure counts."""
LONGEST_WAIT = 60.0
"""Seconds; a host that asks for more is reported instead of waited for."""
TIMEOUT = 20.0
"""Seconds until a host that says nothing counts as gone."""


class Answer(NamedTuple):
    """What the host said."""

    status: int
    headers: Mapping[str, str]
    value: Any
    tries: int
    """How often the request was sent; a request that creates may have been carried out each time."""


class RefusedError(UnavailableError):
    """The host understood the request and refuses it."""

    def __init__(self, status: int, what: str, fix: str) -> None:
        self.status = status
        super().__init__([Problem(what, fix)])


class Client:
    """Requests to one host's API.

    Args:
        address: where the API begins, such as `https://api.github.com`.
        headers: sent with every request; they hold the token and appear in no message.
        name: how messages call the host.
        wait: sleeps for seconds between tries.
        shown: the address as messages may show it, where the real one is a secret.
    """

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        name: str,
        wait: Callable[[float], None] = time.sleep,
        shown: str | None = None,
    ) -> None:
        self._address = address.rstrip("/") if shown is None else address
        self._shown = shown or self._address
        self._headers = dict(headers)
        self._name = name
        self._wait = wait
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
        status, headers, data, tries = self._try(method, path, body)
        return Answer(status, headers, self._read(data), tries)

    def _try(self, method: str, path: str, body: Any) -> tuple[int, Mapping[str, str], bytes, int]:
        if not self._address.startswith(("https://", "http://")):
            raise UnavailableError([Problem(f"{self._name} has no web address", "set the API's URL: https://…")])
        for attempt in range(1, TRIES + 1):
            status, headers, data = self._send(method, path, body)
            if 200 <= status < 300:
                return status, headers, data, attempt
            pause = _pause(status, headers, attempt)
            if pause is None:
                raise self._refusal(status, method, path, data)
            if attempt == TRIES or pause > LONGEST_WAIT:
                raise UnavailableError([self._exhausted(status, pause)])
            self._wait(pause)
        raise AssertionError("every try returns, raises or waits")

    def post(self, body: Any) -> None:
        """Send a body to the very address, whatever the receiver answers with.

        Raises:
            RefusedError: the receiver says no.
            UnavailableError: it does not answer, or keeps failing.
        """
        self._try("POST", "", body)

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers in lower case, body; status 0 when there is no answer."""
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
            request = urllib.request.Request(  # ruff: ignore[suspicious-url-open-usage] - `call` lets only http and https through
                f"{self._address}{path}", data=data, headers=headers, method=method
            )
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return answer.status, {key.lower(): text for key, text in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {key.lower(): text for key, text in error.headers.items()}, error.read(65_536)
        except (OSError, HTTPException, ValueError):
            return 0, {}, b""

    def _read(self, data: bytes) -> Any:
        if not data.strip():
            return None
        try:
            return json.loads(data)
        except ValueError as error:
            what = f"{self._name} answers with something that is no JSON"
            raise UnavailableError([Problem(what, f"check the API's URL {self._shown}")]) from error

    def _exhausted(self, status: int, pause: float) -> Problem:
        if status == 0:
            return Problem(f"{self._name} at {self._shown} does not answer", "try again later, or check the URL")
        if pause > LONGEST_WAIT:
            what = f"{self._name} asks to wait {int(pause)} seconds before the next request: its rate limit is used up"
            return Problem(what, "run the job again later")
        return Problem(f"{self._name} answered {status} {TRIES} times in a row", "try again later")

    def _refusal(self, status: int, method: str, path: str, data: bytes) -> RefusedError:
        reason = _reason(data)
        what = f"{self._name} refuses {method} {path.partition('?')[0]}: {status}{f' {reason}' if reason else ''}"
        fixes = {
            401: "the token is wrong or has expired: set a valid one",
            403: "the token may not write comments: give the job `pull-requests: write` (GitHub) or a token with the"
            " scope `api` (GitLab)",
            404: "check the repository's name and the number; a token that may not read the repository gets 404, too",
            422: "the host did not take the comment's text",
        }
        return RefusedError(status, what, fixes.get(status, f"check the API's URL {self._shown}"))


def _opener() -> OpenerDirector:
    """Opens addresses and follows no redirect, which would carry the token to another one."""
    import urllib.request

    class NoRedirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(  # ruff: ignore[no-self-use] - urllib calls it
            self, *_arguments: Any, **_named: Any
        ) -> None:
            return None

    return urllib.request.build_opener(NoRedirects())


def _pause(status: int, headers: Mapping[str, str], attempt: int) -> float | None:
    """Seconds to wait before the next try; None when another try would get the same answer."""
    limited = status == 429 or (
        status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)
    )
    if not limited and status and status < 500:
        return None
    asked = headers.get("retry-after", "")
    if asked.isdigit():
        return float(asked)
    reset = headers.get("x-ratelimit-reset", "")
    if limited and reset.isdigit():
        return max(1.0, float(reset) - time.time())
    return float(2 ** (attempt - 1))


def _reason(data: bytes) -> str:
    """What the host gives as its reason, in one short line."""
    try:
        value = json.loads(data)
    except ValueError:
        return ""
    found = value.get("message") or value.get("error") if isinstance(value, dict) else None
    text = found if isinstance(found, str) else json.dumps(found) if found else ""
    return " ".join(text.split())[:200]
