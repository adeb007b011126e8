"""An API server of one kind that changes as fast as one likes: pods, each change with a resource version of its own.

A real one shares the processors with what it is measured with, and changes some hundred objects a second there. This
one makes its answers before, and sends them at a rate: a list that is streamed, a bookmark at its end, and one line,
one chunk and one record of TLS for each change, as kube-apiserver 1.37 does. A watch from a version gets what came
after. `python -m tests.benchmarks.replay --objects N --changes N --rate N` says its address, and waits for a line that
starts the changes; when all are sent it says `sent SECONDS`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.benchmarks.bench_clients import SPACE, pod_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_VERSION: Final = 1000
_END_OF_LIST: Final = {"k8s.io/initial-events-end": "true"}
_WRITTEN: Final = "2026-01-05T10:00:00Z"
_TICK: Final = 0.002
"""Seconds between two looks at how many changes are due."""


def live_pod(number: int, image: str, version: int) -> dict[str, Any]:
    """A pod as a server sends it: with its version, and who wrote what of it."""
    value = pod_of(number, image)
    container = value["spec"]["containers"][0]
    variables: dict[str, Any] = {
        f"k:{json.dumps({'name': one['name']}, separators=(',', ':'))}": {".": {}, "f:name": {}, "f:value": {}}
        for one in container["env"]
    }
    fields = {
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:image": {}, "f:name": {}, "f:env": variables}}},
    }
    entry = {"operation": "Update", "apiVersion": "v1", "time": _WRITTEN, "fieldsType": "FieldsV1"}
    value["metadata"] |= {
        "resourceVersion": str(version),
        "creationTimestamp": _WRITTEN,
        "managedFields": [
            {"manager": "kubectl-client-side-apply", **entry, "fieldsV1": fields},
            {"manager": "kubelet", **entry, "subresource": "status", "fieldsV1": {"f:status": {"f:phase": {}}}},
        ],
    }
    return value


def _line(kind: str, value: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": value}, separators=(",", ":")).encode() + b"\n"


class Replay:
    """Pods, their changes in order, and how many of them have come about.

    Args:
        objects: how many pods there are.
        changes: how often one of them gets another image, one after the other.
        rate: changes a second.
    """

    def __init__(self, objects: int, changes: int, rate: float) -> None:
        self.objects = objects
        self.rate = rate
        self.first = [
            _line("ADDED", live_pod(number, "example.invalid/i:1", _FIRST_VERSION - objects + number + 1))
            for number in range(objects)
        ]
        self.changes = [
            _line("MODIFIED", live_pod(at % objects, f"example.invalid/i:{2 + at // objects}", _FIRST_VERSION + 1 + at))
            for at in range(changes)
        ]
        self.begun = 0.0
        """When the first change came; 0 until then."""

    def due(self) -> int:
        """How many changes have come about."""
        if not self.begun:
            return 0
        return min(len(self.changes), int((time.monotonic() - self.begun) * self.rate))

    def document(self, path: str) -> Any:
        """The answer to what is asked once; None for what there is not."""
        if path == "/version":
            return {"major": "1", "minor": "37", "gitVersion": "v1.37.2"}
        if path == "/api":
            resource = {
                "resource": "pods",
                "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
                "scope": "Namespaced",
                "singularResource": "pod",
                "shortNames": ["po"],
                "verbs": ["get", "list", "watch"],
            }
            return _discovered([{"metadata": {}, "versions": [{"version": "v1", "resources": [resource]}]}])
        return _discovered([]) if path == "/apis" else None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it is closed."""
        try:
            while words := (await reader.readline()).decode().split():
                while (await reader.readline()).strip():
                    pass
                url = urlsplit(words[1])
                params = dict(parse_qsl(url.query))
                if url.path == f"/api/v1/namespaces/{SPACE}/pods" and params.get("watch"):
                    await self._watch(writer, params)
                    break
                await _said(writer, self.document(url.path))
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # the watcher is gone, or the measurement is over
        finally:
            writer.close()

    async def _watch(self, writer: asyncio.StreamWriter, params: dict[str, str]) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        if version := params.get("resourceVersion"):
            sent = int(version) - _FIRST_VERSION
        else:
            sent = self.due()
            for line in self._now(sent):
                await _chunk(writer, line)
        while True:
            due = self.due()
            for line in self.changes[sent:due]:
                await _chunk(writer, line)
            sent = max(sent, due)
            if self.begun and sent == len(self.changes) and not params.get("told"):
                params["told"] = "yes"
                sys.stdout.write(f"sent {time.monotonic() - self.begun:.2f}\n")
                sys.stdout.flush()
            await asyncio.sleep(_TICK)

    def _now(self, changed: int) -> Iterator[bytes]:
        """The objects as they are after so many changes, and the bookmark at the end of them."""
        newest = list(self.first)
        for at in range(changed):
            newest[at % self.objects] = self.changes[at].replace(b"MODIFIED", b"ADDED", 1)
        yield from newest
        version = str(_FIRST_VERSION + changed)
        yield _line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": version, "annotations": _END_OF_LIST}})


def _discovered(items: list[Any]) -> dict[str, Any]:
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}


async def _chunk(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(line), line))
    await writer.drain()


async def _said(writer: asyncio.StreamWriter, document: Any) -> None:
    body = json.dumps(document if document is not None else {"kind": "Status", "code": 404}).encode()
    status = b"200 OK" if document is not None else b"404 Not Found"
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    writer.write(head + body)
    await writer.drain()


async def _serve(replay: Replay, context: ssl.SSLContext) -> None:
    server = await asyncio.start_server(replay.answer, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    if await asyncio.to_thread(sys.stdin.readline):
        replay.begun = time.monotonic()
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.replay", description=__doc__)
    parser.add_argument("--objects", type=int, default=5_000, help="pods that there are")
    parser.add_argument("--changes", type=int, default=20_000, help="how many changes are sent")
    parser.add_argument("--rate", type=float, default=2_000, help="changes a second")
    parser.add_argument("--certificate", type=Path, required=True, help="of the server")
    parser.add_argument("--key", type=Path, required=True, help="its key")
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    asyncio.run(_serve(Replay(options.objects, options.changes, options.rate), context))


if __name__ == "__main__":
    main()
