"""A year of clusters in PostgreSQL: services with their resources in several clusters, versions, events and usage.

`python -m tests.history.year URL [SHARE]` fills an empty database with a share of a year (1: 2,800 objects, 200,000
versions, 20 million rows of usage) and times each question. `python -m tests.history.year --growth FILE.svg LARGEST
URL…` fills one empty database after the other, each with twice as much up to the largest share, and draws how the times
of the questions grow.
"""

from __future__ import annotations

import sys
import time
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.live import Live
from envcompile.actions.live_objects import seen_of
from envcompile.history.live import KindName
from envcompile.history.livegc import size_of
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import DAY, SECOND, Happening
from envcompile.kubernetes.api import load
from tests.benchmarks.measuring import processor_of
from tests.history.clusters import START, Filled, deployment, keyed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SERVICES: Final = 100
KINDS: Final = ("Deployment", "Service", "ConfigMap", "Secret", "Ingress", "HorizontalPodAutoscaler", "ServiceAccount")
CLUSTERS: Final = 4
VERSIONS: Final = 200_000
USAGE: Final = 20_000_000
SERIES: Final = 1000
MINUTE: Final = 60 * SECOND


class Timed(NamedTuple):
    """What was asked, how long it took in seconds, and how many rows it gave."""

    question: str
    seconds: float
    rows: int


class Year(NamedTuple):
    """What was made."""

    versions: int
    usage: int
    seconds: float
    """For the versions."""
    processor: float
    """Seconds of this process's processor for the versions."""
    server: float
    """Seconds of the server's processor for the versions; 0 where it runs elsewhere."""
    size: int
    """Bytes."""


def make(url: str, share: float) -> Year:
    """Fill a database with a share of a year."""
    filled = Filled(url)
    begun, processor, server = time.perf_counter(), time.process_time(), _server_seconds(filled)
    versions = _versions(filled, share)
    took, used = time.perf_counter() - begun, time.process_time() - processor
    served = _server_seconds(filled) - server
    usage = _usage(filled, share)
    filled.times.add_events(
        filled.cluster,
        [
            Happening(START + number * MINUTE, f"e{number}", f"uid-shop-s{number % SERVICES}", "shop", "Deployment",
                      f"s{number % SERVICES}", "Warning", "BackOff", "kubelet", 1, "Back-off restarting")
            for number in range(int(100_000 * share))
        ],
    )  # fmt: skip
    if not filled.database.is_sqlite:
        filled.database.run("ANALYZE")
    size = size_of(filled.database)
    filled.close()
    return Year(versions, usage, took, used, served, size)


def _server_seconds(filled: Filled) -> float:
    """The processor's time of the server's process for this connection, where it runs on this machine."""
    if filled.database.is_sqlite:
        return 0.0
    try:
        return processor_of(int(filled.database.rows("SELECT pg_backend_pid()")[0][0]))
    except OSError:
        return 0.0


def _versions(filled: Filled, share: float) -> int:
    """Objects that change in turn, in batches as a watcher stores them."""
    per_batch, made, number = 500, 0, 0
    wanted = int(VERSIONS * share)
    clusters = [filled.store.cluster(f"cluster-{one}", "https://example.com", START) for one in range(1, CLUSTERS)]
    clusters.insert(0, filled.cluster)
    api = filled.compare
    names = [KindName("apps" if kind == "Deployment" else "", f"{kind.lower()}s", kind, "") for kind in KINDS]
    while made < wanted:
        kind, cluster = names[number % len(names)], clusters[number % CLUSTERS]
        turn = number // (len(names) * CLUSTERS)
        values = [_value(kind.kind, service, turn * 5 + step) for step in range(5) for service in range(SERVICES)]
        seen = [seen_of(value, keyed, is_gone=False) for value in values]
        at = START + int(365 * DAY * made / wanted)
        written = filled.store.write(cluster, kind, seen, now=at, compare=api)
        made += written.created + written.changed
        number += 1
        if number > 10 * wanted // per_batch + 100:
            break
    return made


def _value(kind: str, service: int, version: int) -> dict[str, Any]:
    value = deployment(f"s{service}", version + 1, replicas=version % 7 + 1, image=f"app:{version}")
    value["kind"] = kind
    value["metadata"]["uid"] = f"uid-shop-s{service}" if kind == "Deployment" else f"{kind}-{service}"
    return value


def _usage(filled: Filled, share: float) -> int:
    """Rows a minute apart, made by the database itself."""
    minutes = max(1, int(USAGE * share / SERIES))
    database = filled.database
    filled.times.ensure("live_usage", range(START, START + minutes * MINUTE + DAY, DAY))
    database.run_many(
        "INSERT INTO live_series (cluster_id, namespace, pod, container, workload) VALUES (?, 'shop', ?, 'app', ?)",
        [(filled.cluster, f"s{one % SERVICES}-{one}", f"Deployment/s{one % SERVICES}") for one in range(SERIES)],
    )
    database.run(
        "INSERT INTO live_usage (series_id, at, cpu, memory) SELECT s.id, ? + m * ?::bigint, "
        "(s.id * 31 + m) % 500, 1000000 + (m % 1000) * 1000 FROM live_series s, generate_series(0, ? - 1) m",
        (START, MINUTE, minutes),
    )
    filled.times.roll_up(START, START + minutes * MINUTE)
    # As retention does once a partition is whole.
    filled.times.arrange_before(START + 366 * DAY)
    return minutes * SERIES


def ask(url: str) -> list[Timed]:
    """Every question of `envc live`, timed."""
    from contextlib import closing

    from envcompile.history.database import connect

    with closing(connect(url)) as database:
        reader = LiveReader(database)
        row = next(one for one in reader.clusters() if one.name == "prod")
        live = Live(reader, row, load("1.35"))
        middle, end = START + 180 * DAY, START + 366 * DAY
        questions: dict[str, Callable[[], list[Any]]] = {
            "get": lambda: live.state(end),
            "get KIND": lambda: live.state(end, wanted="deploy"),
            "at": lambda: live.state(middle),
            "at KIND/NAME": lambda: live.state(middle, wanted="deploy/s7"),
            "log": lambda: live.log("deploy/s7"),
            "blame": lambda: live.blame("deploy/s7"),
            "events": lambda: live.events(since=START, most=100),
            "events KIND/NAME": lambda: live.events(wanted="deploy/s7", since=START, most=100),
            "stats of a day": lambda: reader.counts(row.number, middle, middle + DAY),
            "stats of the year": lambda: reader.counts(row.number, START, end),
            "raw usage of a workload, a day": lambda: reader.usage(
                row.number, "live_usage", START, START + DAY, namespace="shop", workload="Deployment/s7"
            ),
            "usage of a workload, 14 days by 5 minutes": lambda: reader.usage(
                row.number, "live_usage_5m", START, START + 14 * DAY, namespace="shop", workload="Deployment/s7"
            ),
            "usage of a workload, a year by hours": lambda: reader.usage(
                row.number, "live_usage_1h", START, end, namespace="shop", workload="Deployment/s7"
            ),
        }
        return list(starmap(_timed, questions.items()))


def _timed(name: str, question: Callable[[], list[Any]]) -> Timed:
    """The least of three tries: the others are what else the machine does."""
    tries = []
    for _ in range(3):
        begun = time.perf_counter()
        rows = len(question())
        tries.append(time.perf_counter() - begun)
    return Timed(name, min(tries), rows)


def _filled(url: str, share: float) -> list[Timed]:
    """Fill a database, and say what it took."""
    year = make(url, share)
    both = year.processor + year.server
    sys.stdout.write(
        f"{year.versions} versions in {year.seconds:.1f} s ({year.versions / year.seconds:.0f}/s); processor "
        f"{year.processor:.1f} s here and {year.server:.1f} s of the server ({year.versions / both:.0f}/s); "
        f"{year.usage} rows of usage; {year.size >> 20} MiB\n"
    )
    found = ask(url)
    for one in found:
        sys.stdout.write(f"{one.question:45} {one.seconds * 1000:8.1f} ms {one.rows:7} rows\n")
    return found


def grow(urls: Sequence[str], largest: float) -> str:
    """A picture of how the times of questions grow with the size of the history, as SVG."""
    points = [
        {"share of a year": share, "milliseconds": one.seconds * 1000, "question": one.question}
        for share, url in zip((largest / 2**place for place in reversed(range(len(urls)))), urls, strict=True)
        for one in _filled(url, share)
    ]
    return picture_of(points)


def picture_of(points: list[dict[str, Any]]) -> str:
    """A line for each question over the share of a year."""
    from envcompile.pages.plots import svg_of

    return svg_of({
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": 520,
        "height": 320,
        "data": {"values": points},
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": {"field": "share of a year", "type": "quantitative", "scale": {"type": "log", "base": 2}},
            "y": {"field": "milliseconds", "type": "quantitative"},
            "color": {"field": "question", "type": "nominal", "sort": None, "title": None},
        },
    })


def main() -> None:
    """Fill a database or several, and ask."""
    if sys.argv[1] == "--growth":
        picture, largest, *urls = sys.argv[2:]
        Path(picture).write_text(grow(urls, float(largest)), encoding="utf-8")
        return
    _filled(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)


if __name__ == "__main__":
    main()
