"""What an API server's answers mean when they are no success: each failure in clear words, with what is to be done.

Sources: kubernetes.io, API conventions ("Response Status Kind"); answers of kube-apiserver 1.37, in which 404 of a
definition that went, 429 and 503 are plain texts and no Status.
"""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import Problem, UnavailableError
from envcompile.text import address, one_line, without_passwords

if TYPE_CHECKING:
    import httpx2

    from envcompile.cluster.kubeconfig import Access

SHOWN: Final = 300
"""Characters of a server's words that a message quotes."""


class ApiError(UnavailableError):
    """An API server refused a request.

    `status` is the HTTP status, `reason` the server's word for it (`NotFound`, `Expired`, …; empty where it gave none),
    `message` its sentence, `wait` the seconds after which it wants to be asked again (0 where it does not say) and
    `details` what a Status says of the fields.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        status: int,
        reason: str = "",
        message: str = "",
        wait: float = 0.0,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__([problem])
        self.status = status
        self.reason = reason
        self.message = message
        self.wait = wait
        self.details = details or {}

    @property
    def is_expired(self) -> bool:
        """Whether the server does not know the resourceVersion, or the page, any more."""
        return self.status == 410


class NoAnswerError(UnavailableError):
    """A server could not be reached, or the connection broke."""


def refusal(access: Access, what: str, status: int, body: bytes, headers: httpx2.Headers | None = None) -> ApiError:
    """The error for an answer that is no success.

    Args:
        access: the cluster.
        what: what was asked, such as `list deployments.apps`.
        status: the HTTP status, or the code of a Status inside of a watch.
        body: the answer.
        headers: those of the answer.
    """
    said = _status_of(body)
    text = body[: SHOWN * 4].decode(errors="replace").strip()
    message = without_passwords(str(said.get("message") or ("" if _is_html(text) else text)))[:SHOWN]
    reason = str(said.get("reason") or "")
    return ApiError(
        _problem(access, what, status, message, is_html=_is_html(text)),
        status=status,
        reason=reason,
        message=message,
        wait=_wait(headers, said),
        details=said.get("details") if isinstance(said.get("details"), dict) else None,
    )


def no_json(access: Access, what: str, body: bytes) -> ApiError:
    """The error for a success that is no answer of an API server: a proxy's page, a portal that wants a login."""
    text = body[:SHOWN].decode(errors="replace").strip()
    kind = "a web page" if _is_html(text) else "no JSON"
    return ApiError(
        Problem(
            f"{_place(access)} answers {kind} to {what}: it is no Kubernetes API server",
            "a proxy or a login page may stand before it; look at the server and proxy-url of the context",
        ),
        status=200,
    )


def broken(access: Access, what: str, error: Exception) -> NoAnswerError:
    """The error for a connection that failed."""
    words = one_line(without_passwords(str(error) or type(error).__name__))[:SHOWN]
    place = _place(access)
    if (failed := _certificate_error(error)) is not None:
        return NoAnswerError([
            Problem(
                f"{place} shows a certificate that is not trusted: {one_line(failed)}",
                "the certificate-authority of the context belongs to another cluster; "
                "let your cluster's own tool write the kubeconfig anew",
            )
        ])
    if "timeout" in type(error).__name__.lower():
        return NoAnswerError([Problem(f"{place} does not answer in time ({what})", "is the cluster, or the VPN, up?")])
    return NoAnswerError([Problem(f"{place} cannot be reached: {words} ({what})", "is the cluster, or the VPN, up?")])


def _place(access: Access) -> str:
    return f"the cluster {one_line(access.context)} at {address(access.server)}"


def _certificate_error(error: BaseException) -> str | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message
        seen = seen.__cause__ or seen.__context__
    return "certificate verify failed" if "CERTIFICATE_VERIFY_FAILED" in str(error) else None


def _status_of(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) and value.get("kind") == "Status" else {}


def _is_html(text: str) -> bool:
    return text[:15].lower().startswith(("<!doctype html", "<html"))


def _wait(headers: httpx2.Headers | None, said: dict[str, Any]) -> float:
    found = headers.get("Retry-After", "") if headers is not None else ""
    if found.isdecimal():
        return float(found)
    details = said.get("details")
    seconds = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    return float(seconds) if isinstance(seconds, int) else 0.0


def _problem(access: Access, what: str, status: int, message: str, *, is_html: bool) -> Problem:
    place, said = _place(access), f": {one_line(message)}" if message else ""
    if is_html:
        return Problem(
            f"{place} answers a web page with status {status} to {what}: it is no Kubernetes API server",
            "a proxy or a login page may stand before it; look at the server and proxy-url of the context",
        )
    if status == 401:
        return Problem(
            f"{place} does not take the credentials of the context{said}",
            "the token may have expired: log in again with your cluster's own tool",
        )
    if status == 403:
        return Problem(
            f"{place} forbids to {what}{said}",
            "ask for the right; `envc watch --manifests` prints what a watcher needs",
        )
    if status == 429:
        return Problem(f"{place} is asked too much at once ({what})", "try again later, or with fewer kinds")
    if status >= 500:
        return Problem(
            f"{place} fails to {what}: status {status}{said}", "look at the API server's log, then try again"
        )
    if status == 410:
        return Problem(f"{place} does not know this version of {what} any more{said}", "list anew")
    return Problem(f"{place} refuses to {what}: status {status}{said}", "")
