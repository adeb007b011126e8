"""A year of clusters in PostgreSQL: services with their resources in several clusters, versions, events and usage.

`python -m tests.history.year URL [SHARE]` fills an empty database with a share of a year (1: 2,800 objects, 200,000
versions, 20 million rows of usage) and times each question.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.live import Live
from envcompile.actions.live_objects import seen_of
from envcompile.history.live import KindName
from envcompile.history.livegc import size_of
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import DAY, SECOND, Happening
from envcompile.kubernetes.api import load
from tests.history.clusters import START, Filled, deployment, keyed

if TYPE_CHECKING:
    from collections.abc import Callable

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
    size: int
    """Bytes."""


def make(url: str, share: float) -> Year:
    """Fill a database with a share of a year."""
    filled = Filled(url)
    begun, processor = time.perf_counter(), time.process_time()
    versions = _versions(filled, share)
    took, used = time.perf_counter() - begun, time.process_time() - processor
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
    return Year(versions, usage, took, used, size)


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
        found = []
        for name, question in questions.items():
            begun = time.perf_counter()
            rows = len(question())
            found.append(Timed(name, time.perf_counter() - begun, rows))
        return found


def main() -> None:
    """Fill a database, and say what it took."""
    year = make(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
    rate = year.versions / year.seconds
    sys.stdout.write(
        f"{year.versions} versions in {year.seconds:.1f} s ({rate:.0f}/s, {year.processor:.1f} s of this process's "
        f"processor), {year.usage} rows of usage, {year.size >> 20} MiB\n"
    )
    for one in ask(sys.argv[1]):
        sys.stdout.write(f"{one.question:45} {one.seconds * 1000:8.1f} ms {one.rows:7} rows\n")


if __name__ == "__main__":
    main()
