"""The watcher by the size of a cluster: memory, time to the first whole picture, and versions stored a second.

`python -m tests.benchmarks.bench_watch [--objects N …] [--changes N]` starts an API server and a PostgreSQL, puts pods
into its etcd, and lets `envc watch` look; then so many of them are changed one after the other, each in a transaction
of its own, by several processes, and it is timed until the last version is stored. Each size has a cluster and a
database of its own.

With `--rate N` the pods are those of `replay.py`, a server that changes as many a second as it is told: a real one, its
etcd and the watcher share the processors here, and what is measured is which of them is first to have none left.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.bench_clients import SPACE, filled
from tests.benchmarks.measuring import processor_of
from tests.cluster.servers import write_kubeconfig
from tests.harness.command import PACKAGE_ROOT
from tests.history import postgres
from tests.oracles.certificates import write_pki
from tests.oracles.cluster import running_cluster
from tests.oracles.tools import Tools

PATIENCE: Final = 1800.0
"""Seconds until a size is given up."""
_CHANGERS: Final = 4
"""Processes that change pods of a real API server: one is given some 700 answers a second."""

Changer = Callable[[], tuple[int, float]]
"""Changes pods; how many, and how many seconds that took."""


class Watched(NamedTuple):
    """What a watcher took for a number of objects; memory in MiB."""

    objects: int
    first_wall: float
    first_processor: float
    changes: int
    changing: float
    """From the first change to the last."""
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


def _measured(folder: Path, kubeconfig: Path, url: str, objects: int, change: Changer) -> Watched:
    """Let a watcher look at so many pods, then let some be changed."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "KUBECONFIG": str(kubeconfig),
        "ENVC_HISTORY_URL": url,
        "ENVC_IDENTITY_KEY": "k" * 40,
        "PYTHONPATH": str(PACKAGE_ROOT),
    }
    command = [sys.executable, "-m", "envcompile", "watch", "--name", "measured", "--namespace", SPACE]
    with (folder / "watch.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/")
    try:
        first = _until(process, lambda: _versions(url) >= objects)
        used, stored = processor_of(process.pid), _versions(url)
        start = time.monotonic()
        changes, changing = change()
        _until(process, lambda: _versions(url) >= stored + changes)
        wall = time.monotonic() - start
        more = processor_of(process.pid) - used
        memory, peak = _status(process, "VmRSS"), _status(process, "VmHWM")
        return Watched(objects, first, used, changes, changing, wall, more, memory, peak)
    finally:
        process.kill()
        process.wait()


def _changed(etcd: str, changes: int, image: str) -> tuple[int, float]:
    """Change so many pods, each in a transaction of its own; how long that took."""
    start = time.monotonic()
    share = -(-changes // _CHANGERS)
    parts = [range(at, min(at + share, changes)) for at in range(0, changes, share)]
    with ProcessPoolExecutor(_CHANGERS) as pool:
        for _ in pool.map(partial(filled, etcd, image=image, at_once=1), parts):
            pass
    return changes, time.monotonic() - start


def _of_cluster(folder: Path, url: str, objects: int, changes: int) -> Watched:
    """Pods of a real API server."""
    with running_cluster(Tools.locate(os.environ), folder) as cluster:
        cluster.kubectl("create", "namespace", SPACE).expect_success()
        filled(cluster.etcd_url, range(objects))
        change = partial(_changed, cluster.etcd_url, min(changes, objects), "example.invalid/i:2")
        return _measured(folder, cluster.kubeconfig, url, objects, change)


def _of_replay(folder: Path, url: str, objects: int, changes: int, rate: float) -> Watched:
    """Pods of a server that changes as many a second as it is told."""
    pki = write_pki(folder / "pki")
    command = [
        *(sys.executable, "-m", "tests.benchmarks.replay", "--objects", str(objects), "--changes", str(changes)),
        *("--rate", str(rate), "--certificate", str(pki.server.certificate), "--key", str(pki.server.key)),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PACKAGE_ROOT
    ) as replay:
        if replay.stdin is None or replay.stdout is None:
            raise SystemExit("the replay has no pipes")
        address = replay.stdout.readline().strip()
        kubeconfig = write_kubeconfig(
            folder / "kubeconfig", address, cluster={"certificate-authority": str(pki.authority)}
        )
        commands, answers = replay.stdin, replay.stdout

        def change() -> tuple[int, float]:
            commands.write("go\n")
            commands.flush()
            return changes, float(answers.readline().split()[1])

        return _measured(folder, kubeconfig, url, objects, change)


def _table(results: list[Watched]) -> str:
    lines = [
        (
            "| objects | all stored after, processor (wall) | changes made a second "
            "| stored a second (of its processor) | the last stored after | memory | peak |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.objects:,} | {one.first_processor:.1f} s ({one.first_wall:.1f} s) | {one.changes / one.changing:,.0f} "
        f"| {one.changes / one.wall:,.0f} ({one.changes / one.processor:,.0f}) | {one.wall - one.changing:.1f} s "
        f"| {one.memory:.0f} MiB | {one.peak:.0f} MiB |"
        for one in results
    ]
    return "\n".join(lines)


def main() -> None:
    """One row a size."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_watch", description=__doc__)
    parser.add_argument("--objects", type=int, nargs="*", default=[5_000, 20_000, 50_000], help="pods that are watched")
    parser.add_argument("--changes", type=int, default=5_000, help="how many of them change")
    parser.add_argument("--rate", type=float, default=0, help="changes a second of a replay; 0 for a real API server")
    options = parser.parse_args()
    import psycopg

    results = []
    for objects in options.objects:
        with tempfile.TemporaryDirectory() as folder, postgres.server() as socket:
            with psycopg.connect(postgres.url(socket, "postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE measured")
            url = postgres.url(socket, "measured")
            if options.rate:
                found = _of_replay(Path(folder), url, objects, options.changes, options.rate)
            else:
                found = _of_cluster(Path(folder), url, objects, options.changes)
            results.append(found)
    load = os.getloadavg()[0]
    sys.stdout.write(f"{_table(results)}\n\nload of the machine {load:.0f}\n")


if __name__ == "__main__":
    main()
