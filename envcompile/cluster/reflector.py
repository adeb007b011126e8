"""One kind of one cluster, listed and watched for as long as it is there: every change once, in the server's order.

A list says which objects there are, so what it lacks is gone; a watch goes on from the list's version. What ends it
says what follows: the server's own end resumes, a version that is forgotten (410, after every restart of an API server)
lists anew, a refusal waits. Nothing that happens to one kind reaches another.

Sources: kubernetes.io, "Efficient detection of changes", "Watch bookmarks" and "Streaming lists"; client-go's
reflector; kubernetes#137089 (a stale watch of events that ends at once instead of saying 410).
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cluster.answers import ApiError, NoAnswerError
from envcompile.cluster.client import complete
from envcompile.cluster.pace import Backoff
from envcompile.log import decision, detail

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import Self

    from envcompile.cluster.kinds import ApiKind
    from envcompile.cluster.pace import Pace
    from envcompile.cluster.streaming import Stream

INITIAL_END: Final = "k8s.io/initial-events-end"
_AT_ONCE: Final = 100
"""Changes of one batch: fewer make more statements, more make the processor forget what it has read."""
_LOT: Final = 0.02
"""Seconds in which events that come one by one are gathered."""
_TOO_SOON: Final = 2.0
"""Seconds: a watch that ends cleanly within them without a word may be one of a version that is forgotten."""


class WatchEvent(NamedTuple):
    """One event: the object as it is now, or as it was when it went."""

    is_gone: bool
    value: dict[str, Any]


class Batch(NamedTuple):
    """What has happened to a kind, to be stored whole or not at all.

    `resource_version` is where to go on from afterwards, empty in the middle of a list: what a list has brought must
    not be followed by older events. With `everything` the list is whole: an object that is none of these uids is gone.
    """

    kind: ApiKind
    namespace: str
    changes: tuple[WatchEvent, ...]
    resource_version: str
    everything: frozenset[str] | None


class Told(NamedTuple):
    """What a reflector's counters say of it."""

    state: str
    """`starting`, `listing`, `watching`, `waiting`, `forbidden` or `ended`."""
    events: int
    lists: int
    expired: int
    failures: int
    problem: str
    """Why it waits; empty when it does not."""


class KindGoneError(Exception):
    """The cluster does not serve the kind any more."""


class Reflector:
    """Watches one kind.

    Args:
        stream: the connections.
        kind: the kind.
        namespace: only this one's; all when empty.
        pace: how long to wait.
        chance: for jitter.
        put: takes a batch; it may take its time, and the server is not read meanwhile.
        listing: how many kinds may be listed at once.
        streams: whether the server can stream a list.
    """

    def __init__(
        self,
        stream: Stream,
        kind: ApiKind,
        namespace: str,
        *,
        pace: Pace,
        chance: random.Random,
        put: Callable[[Batch], Awaitable[None]],
        listing: asyncio.Semaphore,
        streams: bool,
    ) -> None:
        self.kind = kind
        self._stream = stream
        self._namespace = namespace if kind.namespaced else ""
        self._pace = pace
        self._chance = chance
        self._put = put
        self._listing = listing
        self._streams = streams
        self._version = ""
        self._pending: list[WatchEvent] = []
        self._due = 0.0
        self._listed_at = time.monotonic()
        self._empty_ends = 0
        self._state = "starting"
        self._events = self._lists = self._expired = self._failures = 0
        self._problem = ""
        self.is_ready = asyncio.Event()
        """Set once the kind has been listed, or cannot be."""

    def told(self) -> Told:
        """How it stands."""
        return Told(self._state, self._events, self._lists, self._expired, self._failures, self._problem)

    async def run(self, version: str = "", *, once: bool = False) -> None:
        """Watch until the task is cancelled, or the kind goes.

        Args:
            version: where the last run came to; the kind is listed when empty.
            once: list only.

        Raises:
            KindGoneError: the server does not serve the kind.
        """
        backoff = Backoff(self._pace, self._chance)
        self._version = version
        is_resumed = bool(version)
        while True:
            try:
                if is_resumed:
                    await self._confirm()
                # A streamed list and its watch are one answer, which `_watch` reads.
                if once or not (self._version or self._streams):
                    await self._list()
                if self._version:
                    self.is_ready.set()
                if once:
                    return
                is_resumed = False
                await self._watch(backoff)
                self._problem = ""
            except ApiError as error:
                if error.is_expired:
                    self._expired += 1
                    self._version = ""
                    detail("watch", "%s: the version is forgotten, listing anew", self.kind.title)
                    await asyncio.sleep(self._chance.random() * self._pace.first)
                    continue
                if error.status == 404:
                    self._state = "ended"
                    self.is_ready.set()
                    raise KindGoneError(self.kind.title) from error
                is_resumed = bool(self._version)
                await self._rest(error, backoff.wait(error.wait), is_forbidden=error.status == 403)
                if once:
                    return
            except NoAnswerError as error:
                is_resumed = bool(self._version)
                await self._rest(error, backoff.wait(), is_forbidden=False)
                if once:
                    return

    async def _rest(self, error: ApiError | NoAnswerError, seconds: float, *, is_forbidden: bool) -> None:
        """Wait after a failure; whoever waits for the first list need not wait with it for ever."""
        await self._flush()
        self._failures += 1
        self._state = "forbidden" if is_forbidden else "waiting"
        self._problem = error.problems[0].what
        self.is_ready.set()
        seconds = self._pace.forbidden if is_forbidden else seconds
        decision("watch", "%s: waiting %.1f s, because %s", self.kind.title, seconds, self._problem)
        await asyncio.sleep(seconds)

    async def _confirm(self) -> None:
        """Ask whether the server is as far as the version to go on from: a watch after a restore says nothing."""
        params = {"limit": 1, "resourceVersion": self._version, "resourceVersionMatch": "NotOlderThan"}
        path = self.kind.path(self._namespace)
        try:
            await self._stream.get(path, params, what=f"list {self.kind.title}", patience=self._pace.initial)
        except ApiError as error:
            causes = error.details.get("causes") or ()
            if error.status == 400 or any(one.get("reason") == "ResourceVersionTooLarge" for one in causes):
                self._expired += 1
                self._version = ""
                return
            raise

    async def _list(self) -> None:
        async with self._listing:
            self._state = "listing"
            self._pending.clear()
            self._lists += 1
            uids: set[str] = set()
            version = ""
            async for page in self._stream.pages(self.kind, self._namespace):
                items = complete(page, self.kind)
                uids.update(str(item["metadata"].get("uid")) for item in items)
                version = str(page.get("metadata", {}).get("resourceVersion") or "")
                # Where to go on from is known once all pages are: until then a new start lists again.
                await self._send(tuple(WatchEvent(False, item) for item in items), "")
            await self._send((), version, frozenset(uids))
        self._version = version
        self._listed_at = time.monotonic()

    async def _watch(self, backoff: Backoff) -> None:
        """One watch to its end."""
        seconds = self._chance.uniform(self._pace.least, self._pace.most)
        params: dict[str, Any] = {"allowWatchBookmarks": "true", "timeoutSeconds": int(seconds)}
        is_list = not self._version
        if is_list:
            params |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        else:
            params["resourceVersion"] = self._version
        self._state = "listing" if is_list else "watching"
        began, heard = time.monotonic(), False
        uids: set[str] | None = set() if is_list else None
        patience = self._pace.initial if is_list else seconds + self._pace.grace
        lines = self._stream.lines(self.kind, self._namespace, params, patience=patience)
        try:
            async with _Arrivals(lines) as arrivals:
                while (events := await arrivals.next(self._wait())) is not None:
                    if not events:
                        await self._flush()
                        continue
                    backoff.reset()
                    heard = True
                    for event in events:
                        uids = await self._take(event, uids)
                    if uids is None and self._is_old():
                        break
        except ApiError as error:
            await self._flush()
            if is_list and error.status in {400, 422}:
                detail("watch", "%s: this server does not stream lists", self.kind.title)
                self._streams = False
                return
            raise
        except NoAnswerError:
            await self._flush()
            if is_list and uids is not None and not heard:
                self._streams = False
            if uids is not None:
                self._version = ""
            raise
        await self._flush()
        if uids is not None:
            self._version = ""  # the list was not whole
            self._streams = False
        elif self._is_old():
            self._version = ""
        else:
            self._end_of(began, is_silent=not heard)

    def _is_old(self) -> bool:
        """Whether the last list is so long ago that the watch may have fallen silent since."""
        return time.monotonic() - self._listed_at > self._pace.resync

    def _end_of(self, began: float, *, is_silent: bool) -> None:
        """A clean end resumes; one that comes at once and twice without a word is that of a forgotten version."""
        soon = is_silent and time.monotonic() - began < _TOO_SOON
        self._empty_ends = self._empty_ends + 1 if soon else 0
        if self._empty_ends >= 2:
            self._empty_ends = 0
            self._expired += 1
            self._version = ""

    async def _take(self, event: dict[str, Any], uids: set[str] | None) -> set[str] | None:
        """One event; None once a streamed list is whole."""
        value, kind = event["object"], event["type"]
        metadata = value.get("metadata") or {}
        version = str(metadata.get("resourceVersion") or "")
        if kind == "BOOKMARK":
            if uids is not None and (metadata.get("annotations") or {}).get(INITIAL_END) == "true":
                await self._flush(version, frozenset(uids))
                self._listed_at = time.monotonic()
                self._state = "watching"
                self._version = version
                self.is_ready.set()
                return None
            if uids is None:
                self._version = version
                await self._flush(version)
            return uids
        self._events += 1
        if uids is not None:
            uids.add(str(metadata.get("uid")))
        else:
            self._version = version
        if not self._pending:
            self._due = time.monotonic() + self._pace.batch
        value.setdefault("apiVersion", self.kind.api_version)
        value.setdefault("kind", self.kind.kind)
        self._pending.append(WatchEvent(kind == "DELETED", value))
        if len(self._pending) >= _AT_ONCE:
            await self._flush()
        return uids

    def _wait(self) -> float | None:
        """Seconds until what has come must be stored; None while nothing has."""
        return max(0.0, self._due - time.monotonic()) if self._pending else None

    async def _flush(self, version: str = "", everything: frozenset[str] | None = None) -> None:
        if self._pending or version or everything is not None:
            await self._send(tuple(self._pending), version or self._version, everything)
            self._pending.clear()

    async def _send(
        self, changes: tuple[WatchEvent, ...], version: str, everything: frozenset[str] | None = None
    ) -> None:
        await self._put(Batch(self.kind, self._namespace, changes, version, everything))


class _Arrivals:
    """The events of a watch, read ahead by a task of its own, and taken in lots.

    Whoever takes the first of a lot leaves the others a moment to come: events arrive one by one, and waking up for
    each of them would cost more than what is done with it.
    """

    def __init__(self, lines: AsyncGenerator[list[dict[str, Any]]]) -> None:
        self._lines = lines
        self._events: list[dict[str, Any]] = []
        self._is_over = False
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._lines.aclose()

    async def _read(self) -> None:
        try:
            async for events in self._lines:
                self._events += events
                self._something.set()
                if len(self._events) >= _AT_ONCE:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._is_over = True
            self._something.set()

    async def next(self, seconds: float | None) -> list[dict[str, Any]] | None:
        """What has come since; empty when nothing came for so long, None after the end.

        Raises:
            ApiError: the server gave the watch up.
            NoAnswerError: the connection broke.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), seconds)
        if not self._is_over and self._events:
            await asyncio.sleep(_LOT)
        found, self._events = self._events, []
        self._something.clear()
        self._room.set()
        if self._is_over and not found:
            if self._task is not None:
                await self._task
            return None
        if self._is_over:
            self._something.set()
        return found
