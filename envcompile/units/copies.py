"""Copies of this process that do a share of its work, asked over pipes: they start with all that it has read.

A copy that ends early costs nothing but time: whatever it did not do is done by whoever asks.
"""

from __future__ import annotations

import os
import pickle  # ruff: ignore[suspicious-pickle-import] - between this process and copies of it
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Answer = Callable[[int, Any], Iterable[Any]]

MOST = 8
"""Processes where nobody says how many: with more they wait for the disk, and for the one that joins their work."""
_ROOM = 1 << 20
"""Bytes that a copy can tell before it waits for somebody to listen."""
_LENGTH = 8
"""Bytes of the number before each message that says how long it is."""


def can_copy() -> bool:
    """Tell whether a copy of this process can go on by itself: no thread is lost with it, nor a Go runtime in it."""
    is_alone = threading.active_count() == 1 and "_gojsonnet" not in sys.modules
    return sys.platform == "linux" and hasattr(os, "fork") and is_alone


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Lane(Record, frozen=True):
    """The way to a copy, and back, as descriptors."""

    process: int
    asks: int
    tells: int

    def close(self) -> None:
        """Give the way up: a copy that finds it closed ends."""
        os.close(self.asks)
        os.close(self.tells)


class Copies:
    """Copies of this process; close them after use.

    Args:
        count: so many, numbered from 1 on.
        answer: what a copy does, given its number and what it is asked: the parts of its answer one by one.
    """

    def __init__(self, count: int, answer: Answer) -> None:
        self._lanes: dict[int, _Lane] = {}
        self._busy: set[int] = set()
        for number in range(1, count + 1):
            asked, asks = os.pipe()
            told, tells = os.pipe()
            _widen(tells)
            process = os.fork()
            if not process:
                for lane in self._lanes.values():
                    lane.close()
                os.close(asks)
                os.close(told)
                _serve(number, asked, tells, answer)
            os.close(asked)
            os.close(tells)
            self._lanes[number] = _Lane(process, asks, told)

    @property
    def count(self) -> int:
        """So many are there still; while none was lost they are numbered from 1 on."""
        return len(self._lanes)

    def ask(self, requests: Mapping[int, Any]) -> None:
        """Ask copies that have answered everything before; those that are gone are passed over.

        Args:
            requests: what each is asked, by its number.
        """
        for number, request in requests.items():
            lane = self._lanes.get(number)
            if lane is None:
                continue
            try:
                _send(lane.asks, request)
                self._busy.add(number)
            except OSError:
                self._lose(number)

    def answers(self, *, wait: bool) -> Iterator[tuple[int, Any]]:
        """The parts of answers with the number of the copy, as they come.

        Args:
            wait: until all is answered; else only what is there now.
        """
        import select

        while self._busy:
            ways = {self._lanes[number].tells: number for number in self._busy}
            ready = select.select(list(ways), [], [], None if wait else 0)[0]
            if not ready:
                return
            for way in ready:
                number = ways[way]
                try:
                    part = _received(way)
                except (EOFError, OSError):
                    self._lose(number)
                    continue
                if part is None:
                    self._busy.discard(number)
                else:
                    yield number, part

    def close(self) -> None:
        """End all copies; those at work are not waited for."""
        import signal

        for number in list(self._lanes):
            if number in self._busy:
                os.kill(self._lanes[number].process, signal.SIGKILL)
            self._lose(number)

    def _lose(self, number: int) -> None:
        self._busy.discard(number)
        lane = self._lanes.pop(number)
        lane.close()
        os.waitpid(lane.process, 0)


class Several:
    """Pieces of work done by this process and by copies of it, each piece always by the same one; close it after use.

    Args:
        work: does one of them, given its number and what it needs besides.
        processes: those that share them, this one included; begun when somebody asks first.
    """

    def __init__(self, work: Callable[[int, bytes], bytes], processes: int) -> None:
        self._work = work
        self._processes = processes
        self._copies: Copies | None = None

    def each(self, given: Mapping[int, bytes]) -> dict[int, bytes]:
        """What comes of some pieces: number -> what it needs besides."""
        if self._copies is None:
            self._copies = Copies(self._processes - 1, self._answer)
        shares: list[dict[int, bytes]] = [{} for _ in range(self._processes)]
        for at, needs in given.items():
            shares[at % self._processes][at] = needs
        self._copies.ask(dict(list(enumerate(shares))[1:]))
        found: dict[int, bytes] = {}
        for at, needs in shares[0].items():
            found[at] = self._work(at, needs)
            found.update([one for _, one in self._copies.answers(wait=False)])
        found.update([one for _, one in self._copies.answers(wait=True)])
        return {at: found[at] if at in found else self._work(at, needs) for at, needs in given.items()}

    def close(self) -> None:
        """End the copies."""
        if self._copies is not None:
            self._copies.close()

    def _answer(self, _: int, asked: Mapping[int, bytes]) -> Iterator[tuple[int, bytes]]:
        for at, needs in asked.items():
            yield at, self._work(at, needs)


def _widen(pipe: int) -> None:
    """Let a pipe hold more, where the system allows it."""
    import fcntl

    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _ROOM)
    except OSError:
        return


def _serve(number: int, asked: int, tells: int, answer: Answer) -> NoReturn:
    """Answer until nobody asks; what goes wrong goes wrong again in the process that waits, and is told there."""
    try:
        while True:
            for part in answer(number, _received(asked)):
                _send(tells, part)
            _send(tells, None)
    finally:
        os._exit(1)


def _send(way: int, message: Any) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    for part in (len(data).to_bytes(_LENGTH, "little"), data):
        remaining = memoryview(part)
        while remaining:
            remaining = remaining[os.write(way, remaining) :]


def _received(way: int) -> Any:
    """The next message.

    Raises:
        EOFError: nobody sends any more.
    """
    length = int.from_bytes(_read(way, _LENGTH), "little")
    return pickle.loads(_read(way, length))  # ruff: ignore[suspicious-pickle-usage] - as above


def _read(way: int, length: int) -> bytes:
    parts = []
    while length:
        part = os.read(way, min(length, _ROOM))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
