"""The watcher by the size of a cluster: memory, time to the first whole picture, and versions stored a second.

`python -m tests.benchmarks.bench_watch [--objects N …] [--changes N]` starts an API server and a PostgreSQL, puts pods
into its etcd, and lets `envc watch` look; then so many of them are changed at once, and it is timed until the last
version is stored. Each size has a cluster and a database of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.benchmarks.bench_clients import SPACE, filled
from tests.benchmarks.measuring import processor_of
from tests.harness.command import PACKAGE_ROOT
from tests.history import postgres
from tests.oracles.cluster import running_cluster
from tests.oracles.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracles.cluster import Cluster

PATIENCE: Final = 1800.0
"""Seconds until a size is given up."""


class Watched(NamedTuple):
    """What a watcher took for a number of objects; memory in MiB."""

    objects: int
    first_wall: float
    first_processor: float
    changes: int
    wall: float
    """From the first change to the last stored version."""
    processor: float
    memory: float
    """When all was stored."""
    peak: float


def _versions(url: str) -> int:
    """How many versions of pods are stored; a namespace has other objects, too."""
    import psycopg

    with psycopg.connect(url) as connection:
        try:
            row = connection.execute(
                "SELECT count(*) FROM live_version v JOIN live_object o ON o.id = v.object_id "
                "JOIN live_kind k ON k.id = o.kind_id WHERE k.plural = 'pods'"
            ).fetchone()
        except psycopg.errors.UndefinedTable:
            return 0
    return int(row[0]) if row else 0


def _status(process: subprocess.Popen[bytes], name: str) -> float:
    """A size that the kernel states of a process, in MiB."""
    lines = Path(f"/proc/{process.pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _until(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> float:
    start = time.monotonic()
    while not reached():
        if process.poll() is not None:
            raise SystemExit(f"`envc watch` ended with {process.returncode}")
        if time.monotonic() - start > PATIENCE:
            raise SystemExit("`envc watch` takes too long")
        time.sleep(0.1)
    return time.monotonic() - start


def _watched(cluster: Cluster, url: str, objects: int, changes: int) -> Watched:
    """Let a watcher look at so many pods, then change some."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(cluster.folder),
        "KUBECONFIG": str(cluster.kubeconfig),
        "ENVC_HISTORY_URL": url,
        "ENVC_IDENTITY_KEY": "k" * 40,
        "PYTHONPATH": str(PACKAGE_ROOT),
    }
    cluster.kubectl("create", "namespace", SPACE).expect_success()
    filled(cluster.etcd_url, objects)
    command = [sys.executable, "-m", "envcompile", "watch", "--name", "measured", "--namespace", SPACE]
    with (cluster.folder / "watch.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/")
    try:
        first = _until(process, lambda: _versions(url) >= objects)
        used, stored = processor_of(process.pid), _versions(url)
        start = time.monotonic()
        filled(cluster.etcd_url, changes, image="example.invalid/i:2", at_once=1)
        _until(process, lambda: _versions(url) >= stored + changes)
        wall = time.monotonic() - start
        more = processor_of(process.pid) - used
        return Watched(objects, first, used, changes, wall, more, _status(process, "VmRSS"), _status(process, "VmHWM"))
    finally:
        process.kill()
        process.wait()


def _table(results: list[Watched]) -> str:
    lines = [
        "| objects | all stored after, processor (wall) | changes stored a second (of its processor) | memory | peak |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.objects:,} | {one.first_processor:.1f} s ({one.first_wall:.1f} s) | {one.changes / one.wall:,.0f} "
        f"({one.changes / one.processor:,.0f}) | {one.memory:.0f} MiB | {one.peak:.0f} MiB |"
        for one in results
    ]
    return "\n".join(lines)


def main() -> None:
    """One row a size."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_watch", description=__doc__)
    parser.add_argument("--objects", type=int, nargs="*", default=[5_000, 20_000, 50_000], help="pods that are watched")
    parser.add_argument("--changes", type=int, default=5_000, help="how many of them change at once")
    options = parser.parse_args()
    import psycopg

    results = []
    for objects in options.objects:
        with (
            tempfile.TemporaryDirectory() as folder,
            postgres.server() as socket,
            running_cluster(Tools.locate(os.environ), Path(folder)) as cluster,
        ):
            with psycopg.connect(postgres.url(socket, "postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE measured")
            url = postgres.url(socket, "measured")
            results.append(_watched(cluster, url, objects, min(options.changes, objects)))
    load = os.getloadavg()[0]
    sys.stdout.write(f"{_table(results)}\n\nload of the machine {load:.0f}\n")


if __name__ == "__main__":
    main()
