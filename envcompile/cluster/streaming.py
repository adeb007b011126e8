"""What a watcher asks of a cluster, while its other questions go on: pages of lists and the lines of watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import orjson

from envcompile.cluster.answers import broken, no_json, refusal
from envcompile.cluster.client import PAGE, extensions_of, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from typing import Self

    from envcompile.cluster.kinds import ApiKind
    from envcompile.cluster.kubeconfig import Access


class Stream:
    """Connections to one cluster, one for each watch; `async with` closes them."""

    def __init__(self, access: Access) -> None:
        self.access = access
        # A watch holds its connection for minutes: there are as many as kinds, and none waits for another.
        self._http = httpx2.AsyncClient(
            **settings_of(access), limits=httpx2.Limits(max_connections=None, max_keepalive_connections=16)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, params: Mapping[str, Any], *, what: str, patience: float = 60.0) -> dict[str, Any]:
        """Ask for a document.

        Args:
            path: the way to it.
            params: those of the address.
            what: the question as messages name it.
            patience: seconds of silence after which it is given up.
        """
        timeout = httpx2.Timeout(patience, connect=10.0)
        try:
            response = await self._http.get(
                path, params=dict(params), timeout=timeout, extensions=extensions_of(self.access)
            )
        except (httpx2.HTTPError, OSError) as error:
            raise broken(self.access, what, error) from error
        if not response.is_success:
            raise refusal(self.access, what, response.status_code, response.content, response.headers)
        try:
            found = orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise no_json(self.access, what, response.content) from error
        if not isinstance(found, dict):
            raise no_json(self.access, what, response.content)
        return found

    async def pages(self, kind: ApiKind, namespace: str) -> AsyncIterator[dict[str, Any]]:
        """The pages of a consistent list."""
        more = ""
        while True:
            params: dict[str, Any] = {"limit": PAGE, **({"continue": more} if more else {})}
            page = await self.get(kind.path(namespace), params, what=f"list {kind.title}")
            yield page
            more = str(page.get("metadata", {}).get("continue") or "")
            if not more:
                return

    async def lines(
        self, kind: ApiKind, namespace: str, params: Mapping[str, Any], *, patience: float
    ) -> AsyncGenerator[list[dict[str, Any]]]:
        """The events of a watch, as many at once as have come; a clean end of the server's ends them.

        Args:
            kind: the kind.
            namespace: only this one's; all when empty.
            params: those of the address, but for `watch`.
            patience: seconds of silence after which the connection is taken for half-open.

        Raises:
            NoAnswerError: the connection broke, or was silent for too long.
            ApiError: the server refused the watch, or gave it up by a Status in the middle of it.
        """
        what = f"watch {kind.title}"
        timeout = httpx2.Timeout(patience, connect=10.0)
        asked = {"watch": "1", **params}
        try:
            async with self._http.stream(
                "GET", kind.path(namespace), params=asked, timeout=timeout, extensions=extensions_of(self.access)
            ) as response:
                if not response.is_success:
                    raise refusal(self.access, what, response.status_code, await response.aread(), response.headers)
                rest = b""
                async for chunk in response.aiter_raw():
                    *whole, rest = (rest + chunk).split(b"\n")
                    if whole:
                        # The reflector closes what it does not read to the end.
                        yield self._events(whole, what)  # ruff: ignore[yield-in-context-manager-in-async-generator]
        except (httpx2.HTTPError, OSError) as error:
            raise broken(self.access, what, error) from error

    def _events(self, lines: list[bytes], what: str) -> list[dict[str, Any]]:
        return [self._event(line, what) for line in lines if line.strip()]

    def _event(self, line: bytes, what: str) -> dict[str, Any]:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise no_json(self.access, what, line) from error
        if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
            raise no_json(self.access, what, line)
        if event.get("type") == "ERROR":
            said = event["object"]
            raise refusal(self.access, what, int(said.get("code") or 500), orjson.dumps(said))
        return event
