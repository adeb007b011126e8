"""A Prometheus is asked for ranges, in parts that it answers, and what it says is a load."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from envcompile.errors import UnavailableError, UsageError
from envcompile.scaling.loads import per_second
from envcompile.scaling.prometheus import PrometheusLoad, usage_queries

if TYPE_CHECKING:
    from collections.abc import Generator

UNTIL = datetime(2026, 3, 6, 18, 0, 30, tzinfo=UTC)


@contextmanager
def answering(status: int, answer: Any) -> Generator[tuple[str, list[dict[str, str]]]]:
    """A server that gives one answer, or what a function makes of a question; with the questions it got."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            question = {name: values[0] for name, values in parse_qs(body).items()}
            asked.append({"path": self.path, **question})
            told = answer(question) if callable(answer) else answer
            data = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def matrix(*series: list[list[Any]]) -> dict[str, Any]:
    """What Prometheus answers to a range query."""
    result = [{"metric": {}, "values": values} for values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def test_series_are_summed_and_what_is_not_there_is_unknown() -> None:
    """NaN, and minutes without a sample."""
    first = int(UNTIL.timestamp()) // 60 * 60 - 300
    answer = matrix([[first, "1"], [first + 60, "NaN"], [first + 120, "3"]], [[first, "0.5"]])
    with answering(200, answer) as (url, asked):
        load = PrometheusLoad(f"{url}/", {"cpu": "up"}, UNTIL, timedelta(minutes=5)).load()
    assert load.source == url
    assert load.start == datetime(2026, 3, 6, 17, 55, tzinfo=UTC)
    assert load.values["cpu"][[0, 2]].tolist() == [1.5, 3.0]
    assert load.notes == ("3 samples of cpu missing",)
    assert len(per_second(load, "cpu")) == 20
    assert [(one["path"], one["query"], one["step"]) for one in asked] == [("/api/v1/query_range", "up", "60")]


def test_long_ranges_are_asked_in_parts() -> None:
    """Prometheus answers no more than 11,000 points."""

    def answer(question: dict[str, str]) -> dict[str, Any]:
        start, end = int(question["start"]), int(question["end"])
        return matrix([[at, "2"] for at in range(start, end + 1, 60)])

    with answering(200, answer) as (url, asked):
        load = PrometheusLoad(url, {"cpu": "up"}, UNTIL, timedelta(days=14)).load()
    assert len(asked) == 3
    assert all(int(one["end"]) - int(one["start"]) < 60 * 10_000 for one in asked)
    assert load.values["cpu"].tolist() == [2.0] * (14 * 1440)


def test_a_query_that_is_wrong() -> None:
    """Is told with what Prometheus says to it."""
    answer = {"status": "error", "errorType": "bad_data", "error": "parse error: unexpected end"}
    with answering(400, answer) as (url, _), pytest.raises(UsageError, match="query for cpu is refused: parse error"):
        PrometheusLoad(url, {"cpu": "sum("}, UNTIL, timedelta(hours=1)).load()


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (200, b"<html>", "no answer of a Prometheus"),
        (503, {"status": "error", "error": "loading"}, "HTTP 503: loading"),
    ],
)
def test_what_is_no_prometheus_or_not_ready(status: int, answer: Any, told: str) -> None:
    """Something outside does not answer."""
    with answering(status, answer) as (url, _), pytest.raises(UnavailableError, match=told):
        PrometheusLoad(url, {"cpu": "up"}, UNTIL, timedelta(hours=1)).load()


def test_nobody_listens() -> None:
    """The same."""
    with pytest.raises(UnavailableError, match="does not answer"):
        PrometheusLoad("http://127.0.0.1:9", {"cpu": "up"}, UNTIL, timedelta(hours=1)).load()


def test_nothing_is_recorded() -> None:
    """Is told with the metrics that were asked for."""
    with answering(200, matrix()) as (url, _), pytest.raises(UsageError, match="recorded nothing for cpu, memory"):
        PrometheusLoad(url, usage_queries("shop", "web"), UNTIL, timedelta(hours=1)).load()


def test_a_password_in_the_address_is_not_shown() -> None:
    """Neither in what a load says of where it is from, nor in what is told when it fails."""
    first = int(UNTIL.timestamp()) // 60 * 60 - 60
    with answering(200, matrix([[first, "1"]])) as (url, _):
        load = PrometheusLoad(url.replace("//", "//me:hidden@"), {"cpu": "up"}, UNTIL, timedelta(minutes=2)).load()
    assert load.source == url
    with pytest.raises(UnavailableError) as caught:
        PrometheusLoad("http://me:hidden@127.0.0.1:9", {"cpu": "up"}, UNTIL, timedelta(hours=1)).load()
    assert "hidden" not in str(caught.value)
