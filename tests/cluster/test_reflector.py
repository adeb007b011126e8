"""What a kind's watch does whatever the server does: every change once, nothing lost, no loop, no endless silence."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from envcompile.cluster.kinds import ApiKind
from envcompile.cluster.kubeconfig import find_access
from envcompile.cluster.pace import Backoff, Pace
from envcompile.cluster.reflector import INITIAL_END, KindGoneError, Reflector
from envcompile.cluster.streaming import Stream
from tests.cluster.servers import write_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from envcompile.cluster.reflector import Batch

PODS = ApiKind("", "v1", "Pod", "pods", namespaced=True)
QUICK = Pace(
    least=4,
    most=5,
    grace=0.3,
    first=0.01,
    longest=0.05,
    forbidden=0.05,
    initial=0.3,
    batch=0.02,
    discovery=1,
    metrics=1,
)
EXPIRED = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (2)"}


class Line(NamedTuple):
    """One line of a watch, after a pause in seconds."""

    event: dict[str, Any]
    pause: float = 0.0


class Answer(NamedTuple):
    """What the server says to one request; a watch has lines and then an end: `clean`, `cut` or `silent`."""

    status: int = 200
    body: Any = None
    lines: tuple[Line, ...] = ()
    end: str = "clean"


def pod(name: str, version: int, kind: str = "MODIFIED") -> Line:
    """An event of a Pod."""
    return Line({"type": kind, "object": {"metadata": {"name": name, "uid": name, "resourceVersion": str(version)}}})


def bookmark(version: int, *, initial: bool = False) -> Line:
    """A bookmark."""
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if initial:
        metadata["annotations"] = {INITIAL_END: "true"}
    return Line({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": metadata}})


def listed(version: int, *names: str, more: str = "") -> Answer:
    """A page of a list."""
    metadata = {"resourceVersion": str(version), **({"continue": more} if more else {})}
    items = [{"metadata": {"name": name, "uid": name, "resourceVersion": "1"}} for name in names]
    return Answer(body={"metadata": metadata, "items": items})


SILENCE = Answer(end="silent")


class Played(NamedTuple):
    """What a reflector asked, and what it gave on."""

    asked: list[dict[str, str]]
    batches: list[Batch]
    reflector: Reflector

    @property
    def changes(self) -> list[tuple[str, str, bool]]:
        """Name, version and whether it is gone, in order."""
        return [
            (change.value["metadata"]["name"], change.value["metadata"]["resourceVersion"], change.is_gone)
            for batch in self.batches
            for change in batch.changes
        ]

    @property
    def lists(self) -> list[set[str]]:
        """The uids of each whole list."""
        return [set(batch.everything) for batch in self.batches if batch.everything is not None]

    @property
    def positions(self) -> list[str]:
        """Where to go on from after each batch."""
        return [batch.resource_version for batch in self.batches]


def play(
    tmp_path: Path,
    answers: Sequence[Answer],
    *,
    version: str = "",
    streams: bool = False,
    until: Callable[[Played], bool] = lambda now: len(now.asked) < 0,
    pace: Pace = QUICK,
) -> Played:
    """Let a reflector run against a server that gives these answers in order, and is silent afterwards."""
    left = list(answers)
    asked: list[dict[str, str]] = []
    batches: list[Batch] = []
    held: list[Reflector] = []

    ended = asyncio.Event()
    served: list[asyncio.Task[Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            served.append(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                query = target.partition("?")[2]
                asked.append(dict(part.partition("=")[::2] for part in query.split("&")))
                answer = left.pop(0) if left else SILENCE
                await _say(writer, answer, is_watch="watch=1" in query)
                if answer.end == "silent" and "watch=1" in query:
                    await ended.wait()
                    return
                if answer.end == "cut":
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def put(batch: Batch) -> None:
        await asyncio.sleep(0)
        batches.append(batch)

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        access = find_access(
            None, {"KUBECONFIG": str(write_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{port}"))}
        )
        try:
            async with Stream(access) as stream:
                reflector = Reflector(
                    stream,
                    PODS,
                    "",
                    pace=pace,
                    chance=random.Random(1),
                    put=put,
                    listing=asyncio.Semaphore(1),
                    streams=streams,
                )
                held.append(reflector)
                task = asyncio.create_task(reflector.run(version))
                await _until(task, lambda: until(Played(asked, batches, reflector)))
        finally:
            ended.set()
            server.close()
            await asyncio.gather(*served)

    asyncio.run(run())
    return Played(asked, batches, held[0])


async def _until(task: asyncio.Task[None], is_done: Callable[[], bool]) -> None:
    for _ in range(3000):
        if task.done() or is_done():
            break
        await asyncio.sleep(0.01)
    task.cancel()
    found = await asyncio.gather(task, return_exceptions=True)
    if isinstance(found[0], Exception):
        raise found[0]


async def _say(writer: asyncio.StreamWriter, answer: Answer, *, is_watch: bool) -> None:
    if answer.status != 200 or not is_watch:
        body = json.dumps(answer.body if answer.body is not None else {}).encode()
        head = f"HTTP/1.1 {answer.status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for line in answer.lines:
        await asyncio.sleep(line.pause)
        text = json.dumps(line.event).encode() + b"\n"
        half = len(text) // 2
        for part in (text[:half], text[half:]):  # a line need not come in one piece
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
    if answer.end == "clean":
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def test_a_list_and_then_its_watch(tmp_path: Path) -> None:
    """Pages, then events from the list's version on; the place to go on from is told with each batch."""
    answers = [
        listed(7, "a", more="next"),
        listed(7, "b"),
        Answer(lines=(pod("a", 8), pod("c", 9, "ADDED"), pod("b", 10, "DELETED")), end="silent"),
    ]
    played = play(tmp_path, answers, until=lambda now: len(now.changes) == 5)
    assert played.changes == [
        ("a", "1", False),
        ("b", "1", False),
        ("a", "8", False),
        ("c", "9", False),
        ("b", "10", True),
    ]
    assert played.lists == [{"a", "b"}]
    assert played.positions == ["", "", "7", "10"]
    assert played.asked[1]["continue"] == "next"
    assert played.asked[2]["resourceVersion"] == "7"
    assert played.asked[2]["allowWatchBookmarks"] == "true"
    assert played.reflector.told().state == "watching"


def test_an_object_that_is_put_several_times_quickly(tmp_path: Path) -> None:
    """Each put is given on once and in order, in few batches, whether the watch goes on, is cut, or lists anew."""
    puts = tuple(pod("a", version) for version in range(9, 29))
    answers = [
        listed(7, "a"),
        Answer(lines=(pod("a", 8), *puts[:7]), end="cut"),
        listed(15),
        Answer(lines=puts[7:14]),
        Answer(lines=(*puts[14:], pod("a", 29, "DELETED"), pod("a", 30, "ADDED"), pod("a", 31)), end="silent"),
    ]
    played = play(tmp_path, answers, until=lambda now: len(now.changes) == 25)
    assert [version for _, version, _ in played.changes] == ["1", *map(str, range(8, 32))]
    assert [version for _, version, is_gone in played.changes if is_gone] == ["29"]
    assert played.positions[-1] == "31"
    assert len(played.batches) <= 8
    assert played.lists == [{"a"}]


def test_a_thousand_events_come_in_lots(tmp_path: Path) -> None:
    """Each is given on once and in order; a lot is small enough to be stored at once, and says where it came to."""
    puts = tuple(pod(f"p-{version % 50}", version) for version in range(8, 1008))
    played = play(tmp_path, [listed(7), Answer(lines=puts, end="silent")], until=lambda now: len(now.changes) == 1000)
    assert [version for _, version, _ in played.changes] == [str(version) for version in range(8, 1008)]
    lots = [batch for batch in played.batches if batch.changes]
    assert 10 <= len(lots) < 100
    assert all(len(lot.changes) <= 100 for lot in lots)
    assert [lot.resource_version for lot in lots] == [
        lot.changes[-1].value["metadata"]["resourceVersion"] for lot in lots
    ]


def test_a_clean_end_resumes(tmp_path: Path) -> None:
    """The server ends every watch by and by: nothing is listed again."""
    answers = [listed(7), Answer(lines=(pod("a", 8, "ADDED"),)), Answer(lines=(pod("a", 9),), end="silent")]
    played = play(tmp_path, answers, until=lambda now: len(now.changes) == 2)
    assert [asked.get("resourceVersion") for asked in played.asked] == [None, "7", "8"]
    assert played.reflector.told().lists == 1


def test_bookmarks_move_the_place(tmp_path: Path) -> None:
    """A quiet kind does not fall out of the server's window."""
    answers = [listed(7), Answer(lines=(bookmark(90),)), SILENCE]
    played = play(tmp_path, answers, until=lambda now: len(now.asked) == 3)
    assert played.asked[2]["resourceVersion"] == "90"
    assert played.positions[-1] == "90"
    assert played.changes == []


@pytest.mark.parametrize(
    "expired", [Answer(lines=(Line({"type": "ERROR", "object": EXPIRED}),)), Answer(status=410, body=EXPIRED)]
)
def test_a_forgotten_version_lists_anew(tmp_path: Path, expired: Answer) -> None:
    """410 inside of a watch and instead of one: what went meanwhile is found by the list."""
    answers = [listed(7, "a", "b"), expired, listed(20, "a"), SILENCE]
    played = play(tmp_path, answers, until=lambda now: len(now.asked) == 4)
    assert played.lists == [{"a", "b"}, {"a"}]
    assert played.asked[3]["resourceVersion"] == "20"
    assert played.reflector.told().expired == 1


def test_a_list_is_begun_anew_when_its_pages_are_forgotten(tmp_path: Path) -> None:
    """410 in the middle of a list: half of a list never counts as all."""
    answers = [
        listed(7, "a", more="x"),
        Answer(status=410, body=EXPIRED),
        listed(9, "a", more="y"),
        listed(9, "b"),
        SILENCE,
    ]
    played = play(tmp_path, answers, until=lambda now: len(now.asked) == 5)
    assert played.lists == [{"a", "b"}]


def test_a_stale_watch_that_ends_at_once_lists_anew(tmp_path: Path) -> None:
    """kubernetes#137089: no 410, no event, only an end, again and again."""
    answers = [listed(7, "a"), Answer(), Answer(), listed(30, "a"), SILENCE]
    played = play(tmp_path, answers, until=lambda now: len(now.asked) == 5)
    assert len(played.lists) == 2
    assert played.asked[4]["resourceVersion"] == "30"


def test_a_connection_that_is_cut_resumes(tmp_path: Path) -> None:
    """What has come is kept, and the rest follows; before that the server is asked whether it is as far."""
    answers = [
        listed(7),
        Answer(lines=(pod("a", 8, "ADDED"),), end="cut"),
        listed(8),
        Answer(lines=(pod("a", 9),), end="silent"),
    ]
    played = play(tmp_path, answers, until=lambda now: len(now.changes) == 2)
    assert played.asked[2]["resourceVersionMatch"] == "NotOlderThan"
    assert played.asked[3]["resourceVersion"] == "8"
    assert played.reflector.told().failures == 1


def test_a_half_open_connection_is_given_up(tmp_path: Path) -> None:
    """A watch that is silent for longer than it was to last is no watch."""
    pace = QUICK._replace(least=0.2, most=0.3)
    answers = [listed(7), SILENCE, listed(7), Answer(lines=(pod("a", 8, "ADDED"),), end="silent")]
    played = play(tmp_path, answers, pace=pace, until=lambda now: len(now.changes) == 1)
    assert played.changes == [("a", "8", False)]
    assert played.reflector.told().failures == 1


def test_a_version_of_the_future_lists_anew(tmp_path: Path) -> None:
    """After etcd was restored from a backup a watch would be silent for ever; a list tells."""
    causes = [{"reason": "ResourceVersionTooLarge"}]
    future = {"kind": "Status", "code": 504, "reason": "Timeout", "details": {"causes": causes}}
    answers = [Answer(status=504, body=future), listed(5, "a"), SILENCE]
    played = play(tmp_path, answers, version="9000", until=lambda now: len(now.asked) == 3)
    assert played.lists == [{"a"}]
    assert played.asked[2]["resourceVersion"] == "5"


def test_a_watch_goes_on_where_the_last_one_came_to(tmp_path: Path) -> None:
    """A restart lists nothing while the server remembers."""
    answers = [listed(100), Answer(lines=(pod("a", 43),), end="silent")]
    played = play(tmp_path, answers, version="42", until=lambda now: len(now.changes) == 1)
    assert [asked["resourceVersion"] for asked in played.asked] == ["42", "42"]
    assert played.lists == []


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_server_that_refuses_for_now_is_asked_again(tmp_path: Path, status: int) -> None:
    """With pauses; when it answers, all is well."""
    answers = [Answer(status=status), Answer(status=status), listed(7, "a"), SILENCE]
    played = play(tmp_path, answers, until=lambda now: len(now.asked) == 4)
    assert played.lists == [{"a"}]
    assert played.reflector.told().failures == 2


def test_a_kind_that_may_not_be_read_waits_long(tmp_path: Path) -> None:
    """403 says so, and whoever waits for the first list does not wait for it."""
    pace = QUICK._replace(forbidden=60)
    played = play(
        tmp_path, [Answer(status=403)], pace=pace, until=lambda now: now.reflector.told().state == "forbidden"
    )
    assert "forbids to list pods" in played.reflector.told().problem
    assert played.reflector.is_ready.is_set()
    assert len(played.asked) == 1


def test_a_kind_that_is_gone_ends(tmp_path: Path) -> None:
    """404 is for whoever knows which kinds there are."""
    with pytest.raises(KindGoneError):
        play(tmp_path, [listed(7), Answer(status=404)])


def test_a_streamed_list(tmp_path: Path) -> None:
    """Objects, a bookmark that ends the list, and the watch in one answer."""
    lines = (pod("a", 3, "ADDED"), pod("b", 4, "ADDED"), bookmark(9, initial=True), pod("a", 10))
    played = play(tmp_path, [Answer(lines=lines, end="silent")], streams=True, until=lambda now: len(now.changes) == 3)
    assert played.asked[0]["sendInitialEvents"] == "true"
    assert played.lists == [{"a", "b"}]
    assert played.positions == ["9", "10"]
    assert len(played.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=422, body={"kind": "Status", "code": 422, "message": "sendInitialEvents is forbidden"}),
        Answer(lines=(pod("a", 3, "ADDED"),)),
        SILENCE,
    ],
)
def test_a_server_that_cannot_stream_a_list(tmp_path: Path, answer: Answer) -> None:
    """It refuses, ends before the list is whole, or says nothing: the list is asked for in pages."""
    played = play(tmp_path, [answer, listed(7, "a"), SILENCE], streams=True, until=lambda now: len(now.asked) == 3)
    assert played.lists == [{"a"}]
    assert "sendInitialEvents" not in played.asked[1]


def test_a_streamed_list_that_is_cut_does_not_count(tmp_path: Path) -> None:
    """Half of a list lets nothing be gone."""
    half = Answer(lines=(pod("a", 3, "ADDED"),), end="cut")
    whole = Answer(lines=(pod("a", 3, "ADDED"), pod("b", 4, "ADDED"), bookmark(9, initial=True)), end="silent")
    played = play(tmp_path, [half, whole], streams=True, until=lambda now: bool(now.lists))
    assert played.lists == [{"a", "b"}]
    assert played.positions[0] == ""


def test_what_is_no_event_is_told(tmp_path: Path) -> None:
    """A proxy that writes its own words into a stream is a failure like others."""
    answers = [listed(7), Answer(lines=(Line({"type": "MODIFIED"}),)), listed(7), SILENCE]
    played = play(tmp_path, answers, until=lambda now: len(now.asked) == 4)
    assert played.reflector.told().failures == 1


def test_waits_double_with_jitter() -> None:
    """Up to the longest, and at least as long as the server asks; a success begins anew."""
    backoff = Backoff(Pace(first=1, longest=8), random.Random(3))
    waits = [backoff.wait() for _ in range(6)]
    assert all(base <= wait < 2 * base for base, wait in zip((1, 2, 4, 8, 8, 8), waits, strict=True))
    assert len({round(wait, 3) for wait in waits[3:]}) == 3
    assert backoff.wait(60) == pytest.approx(60)
    backoff.reset()
    assert backoff.wait() < 2
