"""The room's one door to HTTP: a GET with a limit of time and size, and redirects only where the caller allows them."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from envcompile.secrets.origin import origin_of
from envcompile.secrets.outside import SECONDS, within_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.secrets.origin import Origin

LARGEST_ANSWER = 16_000_000
"""Bytes of an answer; what is behind them is not read."""
_MOST_REDIRECTS = 3


class Answer(NamedTuple):
    """What a server said."""

    status: int
    body: bytes


class RedirectRefusedError(OSError):
    """The server sends the request to an address that it may not go to."""

    def __init__(self, target: str) -> None:
        super().__init__(f"it redirects to {target}")
        self.target = target

    def __reduce__(self) -> tuple[type[RedirectRefusedError], tuple[str]]:
        return type(self), (self.target,)


def get(
    url: str,
    *,
    headers: Mapping[str, str],
    context: ssl.SSLContext | None,
    follows: Callable[[Origin, Origin], bool],
    seconds: float = SECONDS,
) -> Answer:
    """Ask for a URL; every status is an answer.

    Args:
        url: an http or https URL.
        headers: what goes with it, to redirects that are followed as well.
        context: how TLS is checked; the system's authorities when None.
        follows: tells for the first address and the one a redirect names whether the request may go there.
        seconds: the limit for the whole, redirects included.

    Raises:
        RedirectRefusedError: when `follows` says no.
        OSError: when nothing answers, the certificate is not trusted, or the limit is reached (`TooSlowError`).
    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(follows),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(_without_login(url), headers=dict(headers))  # ruff: ignore[suspicious-url-open-usage] - only http and https have a handler

    def ask() -> Answer:
        try:
            with opener.open(request, timeout=seconds) as answer:
                return Answer(answer.status, answer.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                if 300 <= error.code < 400:
                    # Another scheme, a loop, or no address at all.
                    raise RedirectRefusedError("an address that is not followed") from None
                return Answer(error.code, error.read(LARGEST_ANSWER))
        except urllib.error.URLError as error:
            raise (error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason))) from None

    return within_time(ask, seconds)


def _without_login(url: str) -> str:
    """The URL without a user and password in it, which belong into no message and no host name."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where the caller allows it."""

    max_redirections = _MOST_REDIRECTS

    def __init__(self, follows: Callable[[Origin, Origin], bool]) -> None:
        self._follows = follows

    def http_error_302(self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:
            fp.close()
            raise RedirectRefusedError("an address that is none") from None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        start, target = origin_of(req.full_url), origin_of(newurl)
        if start is None or target is None or not self._follows(start, target):
            fp.close()
            raise RedirectRefusedError(str(target) if target else f"a `{urlsplit(newurl).scheme}` address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
