"""A watcher's own health, as Prometheus and a kubelet ask for it: `/metrics`, `/healthz`, `/readyz`.

Source: prometheus.io, "Exposition formats" (text format 0.0.4).
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from envcompile.actions.watch import Standing

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_STATES: Final = ("starting", "listing", "watching", "waiting", "forbidden", "ended")
_STUCK: Final = 600.0
"""Seconds without a stored batch, while some wait, after which a watcher does not call itself healthy."""


def metrics(standings: Sequence[Standing]) -> str:
    """What Prometheus reads."""
    return "".join(f"{line}\n" for line in _lines(standings))


def _lines(standings: Sequence[Standing]) -> Iterator[str]:
    for name, kind, about, figures in (
        ("envc_watch_ready", "gauge", "Whether every kind has been listed, or cannot be.",
         [({}, one, float(one.is_ready)) for one in standings]),
        ("envc_watch_kinds", "gauge", "Kinds by state.",
         [({"state": state}, one, float(count)) for one in standings for state, count in _states(one)]),
        ("envc_watch_events_total", "counter", "Events that a kind's watch has brought.",
         [(_kind(key), one, float(told.events)) for one in standings for key, told in one.kinds.items()]),
        ("envc_watch_lists_total", "counter", "How often a kind was listed.",
         [(_kind(key), one, float(told.lists)) for one in standings for key, told in one.kinds.items()]),
        ("envc_watch_expired_total", "counter", "How often a kind's version was forgotten by the server (410).",
         [(_kind(key), one, float(told.expired)) for one in standings for key, told in one.kinds.items()]),
        ("envc_watch_failures_total", "counter", "How often a kind had to wait after a failure.",
         [(_kind(key), one, float(told.failures)) for one in standings for key, told in one.kinds.items()]),
        ("envc_watch_stored_total", "counter", "What was stored.",
         [({"what": what}, one, float(count)) for one in standings for what, count in _stored(one)]),
        ("envc_watch_waiting_batches", "gauge", "Batches that wait for the database.",
         [({}, one, float(one.waiting)) for one in standings]),
        ("envc_watch_last_stored_timestamp_seconds", "gauge", "When something was stored last.",
         [({}, one, one.last) for one in standings]),
        ("envc_watch_database_bytes", "gauge", "Size of the database.",
         [({}, one, float(one.size)) for one in standings]),
        ("envc_watch_database_cap_bytes", "gauge", "Size at which nothing more is stored; 0 for no cap.",
         [({}, one, float(one.cap)) for one in standings]),
        ("envc_watch_problems", "gauge", "Reasons why the watch is not as it should be.",
         [({}, one, float(len(one.problems))) for one in standings]),
    ):  # fmt: skip
        yield f"# HELP {name} {about}"
        yield f"# TYPE {name} {kind}"
        for labels, standing, value in figures:
            yield f"{name}{_labels({'cluster': standing.cluster, **labels})} {value:.15g}"


def _kind(key: tuple[str, str]) -> dict[str, str]:
    return {"group": key[0], "resource": key[1]}


def _states(standing: Standing) -> list[tuple[str, int]]:
    states = [told.state for told in standing.kinds.values()]
    return [(state, states.count(state)) for state in _STATES]


def _stored(standing: Standing) -> list[tuple[str, int]]:
    counted = standing.counted
    return [*counted.written._asdict().items(), ("events", counted.events), ("usage", counted.usage)]


def _labels(labels: dict[str, str]) -> str:
    quoted = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{quoted}}}"


def is_healthy(standings: Sequence[Standing], now: float) -> bool:
    """Whether the watcher does its work: what waits is stored by and by, or a problem says why not."""
    return all(not one.waiting or one.problems or now - one.last < _STUCK for one in standings)


def host_and_port(address: str) -> tuple[str, int]:
    """Where to listen.

    Args:
        address: HOST:PORT; without HOST this machine alone.

    Raises:
        UsageError: it is no address.
    """
    host, _, port = address.rpartition(":")
    try:
        number = int(port)
    except ValueError as error:
        raise _refused(address, error) from error
    if not 0 <= number < 1 << 16:
        raise _refused(address, f"{number} is no port")
    return host or "127.0.0.1", number


def _refused(address: str, why: object) -> UsageError:
    return UsageError([Problem(f"--listen cannot be `{address}`: {why}", "write HOST:PORT, such as 127.0.0.1:8080")])


@contextmanager
def serving(address: str, standing: Callable[[], Sequence[Standing]]) -> Generator[str]:
    """Answer on an address until the block ends; where, as a URL.

    Args:
        address: HOST:PORT; port 0 is a free one.
        standing: how the watch stands.

    Raises:
        UsageError: the address cannot be listened on.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = standing()
            if self.path == "/metrics":
                status, body = 200, metrics(found)
            elif self.path in {"/healthz", "/livez"}:
                well = is_healthy(found, time.time())
                status, body = (200, "ok\n") if well else (503, "what waits is not stored\n")
            elif self.path == "/readyz":
                left = [one.cluster for one in found if not one.is_ready]
                status, body = (503, f"not ready: {', '.join(left)}\n") if left else (200, "ok\n")
            else:
                status, body = 404, "there is /metrics, /healthz, /readyz\n"
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", _TEXT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing: a kubelet asks every few seconds."""

    host, port = host_and_port(address)
    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise _refused(address, error) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
    thread.start()
    try:
        yield f"http://{server.server_address[0]!s}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
