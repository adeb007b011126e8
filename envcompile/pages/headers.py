"""What is sent with every page, and who gets none: a foreign name of this host, another method, a wrong token.

Sources: W3C Content Security Policy Level 3, the Fetch standard (Cross-Origin-Resource-Policy), OWASP on DNS rebinding.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and no script or style that stands in a page."""
_HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """Lets requests through that may be answered, and gives every answer its headers.

    Args:
        app: what answers.
        hosts: the names by which this host may be called; a page of somebody else whose name leads here has another.
            None where everybody has to know the token anyway.
        token: what has to be known; empty when whoever reaches the port may look.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None, token: str) -> None:
        self._app = app
        self._hosts = hosts
        self._token = hashlib.sha256(token.encode()).digest() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = {name.lower(): value for name, value in scope["headers"]}
        refused = self._refused(scope["method"], sent)
        if refused is not None:
            status, words, further = refused
            headers = [(b"content-type", b"text/plain; charset=utf-8"), *further, *_with_policy([])]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": words})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_with_policy(message["headers"])]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _refused(self, method: str, sent: dict[bytes, bytes]) -> tuple[int, bytes, list[tuple[bytes, bytes]]] | None:
        host = name_of(sent.get(b"host", b"").decode("latin-1"))
        if self._hosts is not None and host not in self._hosts:
            return 400, b"this host is not called so\n", []
        if self._token is not None and not self._knows(sent.get(b"authorization", b"")):
            return (
                401,
                b"a token is needed: as the password, with any name\n",
                [(b"www-authenticate", b'Basic realm="envc", charset="UTF-8"')],
            )
        if method not in {"GET", "HEAD"}:
            return 405, b"pages are read only\n", [(b"allow", b"GET, HEAD")]
        return None

    def _knows(self, authorization: bytes) -> bool:
        """Tell whether the token was sent; it takes the same time wherever it differs."""
        scheme, _, rest = authorization.partition(b" ")
        given = rest.strip()
        if scheme.lower() == b"basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                given = b""
        elif scheme.lower() != b"bearer":
            given = b""
        return hmac.compare_digest(hashlib.sha256(given).digest(), self._token or b"")


def name_of(host: str) -> str:
    """The name in a Host header, without its port and in lower case."""
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[").lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _with_policy(headers: Collection[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of every answer; one that brings a policy of its own, or says how long it may be kept, keeps it."""
    there = {name.lower() for name, _ in headers}
    wanted = {**_HEADERS, b"content-security-policy": POLICY.encode(), b"cache-control": b"no-store"}
    return [(name, value) for name, value in wanted.items() if name not in there]
