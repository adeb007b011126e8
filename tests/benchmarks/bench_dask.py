"""A build by a Dask cluster of two workers, each killed once: `python -m tests.benchmarks.bench_dask [SERVICES]`.

The same project is built by one process beside it, and every file is compared: the exit code is 1 when a byte differs,
or a worker was not killed. It has no Secrets in clear, which never leave the process that reads them.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import distributed

from tests.benchmarks.contenders import leave_out_secrets
from tests.benchmarks.generate import generate
from tests.benchmarks.generate_forms import Logical
from tests.benchmarks.measuring import PACKAGE, age, scratch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENVIRONMENTS = 4
UNITS_OF_A_BATCH = 128
"""As `envcompile.units.batches` sends them."""


class Built(NamedTuple):
    """What a build cost, and what it wrote."""

    wall: float
    cpu: float
    """Seconds of the process that builds; those of the workers are not counted."""
    digests: Mapping[str, str]


class Killing(distributed.SchedulerPlugin):
    """Kills one worker after a third of the batches, another one after two thirds.

    Args:
        cluster: whose workers they are.
        batches: so many there are.
    """

    def __init__(self, cluster: Any, batches: int) -> None:
        self._victims = [nanny.process.pid for nanny in cluster.workers.values()]
        self._at = [batches * (number + 1) // 3 for number in range(len(self._victims))]
        self._done = 0
        self.killed: list[int] = []
        """The processes that were killed, each after so many batches."""

    def transition(self, key: Any, start: Any, finish: Any, *args: Any, **kwargs: Any) -> None:
        """Note what became of a batch."""
        del key, args, kwargs  # names that the scheduler chose
        if start == "processing" and finish == "memory":
            self._done += 1
            if self._victims and self._done >= self._at[len(self.killed)]:
                os.kill(self._victims[0], signal.SIGKILL)
                self.killed.append(self._victims.pop(0))


def build(project: Path, *words: str) -> Built:
    """Build a project in a process of its own."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "envcompile", "--project", str(project), "build", *words]
    subprocess.run(
        command, check=True, env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}, stderr=subprocess.DEVNULL
    )
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    output = project / "environments"
    files = sorted(path for path in output.rglob("*") if path.is_file())
    digests = {str(path.relative_to(output)): sha256(path.read_bytes()).hexdigest() for path in files}
    return Built(wall, cpu, digests)


async def by_a_cluster(project: Path, units: int) -> tuple[Built, list[int]]:
    """Build with a cluster whose workers are killed in turn; with it the processes that were."""
    begin: Any = distributed.LocalCluster
    async with begin(
        n_workers=2, threads_per_worker=1, dashboard_address=None, asynchronous=True, silence_logs="CRITICAL"
    ) as cluster:
        killing = Killing(cluster, units // UNITS_OF_A_BATCH)
        cluster.scheduler.add_plugin(killing)
        address = cluster.scheduler_address.removeprefix("tcp://")
        built = await asyncio.to_thread(build, project, f"--engine=dask://{address}")
        return built, killing.killed


def main(services: int) -> int:
    """Print the figures."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PACKAGE.parent), *filter(None, sys.path)])  # of the workers
    with scratch(None) as place:
        source = place.fresh("generated")
        generate(Logical(services, ENVIRONMENTS, 7, {}), source, ["envc"])
        leave_out_secrets(source / "envc")
        age(source)
        projects = [place.fresh("alone"), place.fresh("cluster")]
        for project in projects:
            shutil.copytree(source / "envc", project)
        alone = build(projects[0], "--jobs=1")
        spread, killed = asyncio.run(by_a_cluster(projects[1], services * ENVIRONMENTS))
    is_same = spread.digests == alone.digests
    print(
        f"{services} services, {ENVIRONMENTS} environments, {len(alone.digests)} files, load {os.getloadavg()[0]:.0f}"
    )
    print(f"one process     {alone.wall:7.1f} s, {alone.cpu:7.1f} s of CPU")
    print(f"two workers     {spread.wall:7.1f} s, {spread.cpu:7.1f} s of CPU beside theirs; {len(killed)} were killed")
    print("the same bytes" if is_same else "OTHER BYTES")
    return 0 if is_same and len(killed) == 2 else 1


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
