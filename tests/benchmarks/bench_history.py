"""What a history costs to record and to ask: `python -m tests.benchmarks.bench_history [COMMITS] [SERVICES]`.

A repository of services in four environments gets generated edits, one a commit; all are imported, and each
question is asked in a process of its own. ENVC_HISTORY_URL chooses the database. The limits hold on two cores that do
nothing else; with other work on the machine the seconds of the processor tell more.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from envcompile.actions.past import open_past
from envcompile.history.stats import sizes
from tests.harness.command import call_envc
from tests.harness.repository import config_map, deployment, environment, write_files

ENVIRONMENTS = ("dev", "test", "staging", "prod")
QUESTION_LIMIT = 1.0
RECORD_LIMIT = 0.3
"""The whole process, from its start to its end, for a commit that changes one file."""
RECORDS = 15
RESOURCES = 7
"""Of a service in each environment."""
BYTES_A_RESOURCE = 1000
"""Of the first commit, which holds all resources of all environments."""
BYTES_A_REVISION = 1000
"""Of each later one, which holds what it changed: measured apart, for all bytes over all revisions tell how few there
are (63,000 of 24 and 1,700 of 1,204, of the same project)."""
BYTES_A_REVISION_OF_A_SERVER = 6000
"""The same where a server keeps them: 11.5 MB for 2,004 revisions, the figure that the tables were designed by."""
RECORD_CPU, IMPORT_CPU = 0.25, 0.03
"""Seconds of the processor for a commit, recorded by a process of its own, and imported with others."""

EMPTY_POSTGRESQL = 7_600_000
"""Bytes of a PostgreSQL database with nothing in it."""


def service(name: str) -> str:
    """The seven resources of one service."""
    port = f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n"
    account = f"apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}}}\n"
    budget = (
        f"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {name}}}\nspec: {{minAvailable: 1}}\n"
    )
    scaler = (
        f"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {name}}}\n"
        f"spec: {{maxReplicas: 5, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}}}\n"
    )
    ingress = (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}}}\n"
        f"spec: {{defaultBackend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}\n"
    )
    settings = config_map(f"{name}-config", **{f"key{number}": f"value-{number}" for number in range(20)})
    return "---\n".join((deployment(name), port, account, budget, scaler, ingress, settings))


def generate(root: Path, services: int) -> None:
    """A project of that many services."""
    files = {f"base/service-{number:03}.yaml": service(f"service-{number:03}") for number in range(services)}
    files |= {f"overlays/{name}/environment.yaml": environment(f"namespace: shop-{name}\n") for name in ENVIRONMENTS}
    write_files(root, {**files, ".gitignore": ".envc/\n"})


def edit(root: Path, chance: random.Random, services: int) -> None:
    """One change as people make it: an image, replicas or a setting, in the base or in one environment."""
    name = f"service-{chance.randrange(services):03}"
    if chance.random() < 0.4:
        path = root / "base" / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        line = next(line for line in text.splitlines() if line.strip().startswith("image:"))
        path.write_text(text.replace(line, f"        image: nginx:1.{chance.randrange(1000)}"), encoding="utf-8")
        return
    path = root / "overlays" / chance.choice(ENVIRONMENTS) / f"{name}.yaml"
    count = chance.randrange(99)
    patch = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {count}}}\n"
    path.write_text(patch, encoding="utf-8")


def commit(root: Path, message: str) -> None:
    """Commit everything, also when it is nothing."""
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", message], cwd=root, check=True)


def run(root: Path, *arguments: str) -> str:
    """Run a history command to its end, however long it takes; what it tells people."""
    command = [sys.executable, "-m", "envcompile", "--project", str(root), "history", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr.strip()


class Recorded(NamedTuple):
    """What a history holds: revisions of environments, and bytes beside what an empty database has."""

    revisions: int
    size: int
    is_sqlite: bool


def recorded(root: Path) -> Recorded:
    """What is recorded of a project so far."""
    with closing(open_past(root)) as past:
        database = past.store.database
        counted = sizes(database)
        empty = 0 if database.is_sqlite else EMPTY_POSTGRESQL
        return Recorded(counted["revisions"], counted["bytes"] - empty, database.is_sqlite)


def processor() -> float:
    """Seconds of the processor that all processes took that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(root: Path, *arguments: str) -> float:
    """Seconds that a command takes in a process of its own, the best of three."""
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        outcome = call_envc(root, "history", *arguments)
        best = min(best, time.perf_counter() - begin)
        if outcome.code not in {0, 16}:
            raise SystemExit(outcome.err)
    return best


def main(commits: int, services: int) -> int:
    """Print the figures; the exit code is 1 when one is above its limit."""
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="envc-history-") as folder:
        root = Path(folder)
        generate(root, services)
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        commit(root, "start")
        for number in range(commits):
            edit(root, chance, services)
            commit(root, f"edit {number}")
        run(root, "import", f"HEAD~{commits}")
        first = recorded(root)
        begin, before = time.perf_counter(), processor()
        outcome = run(root, "import")
        took, imported = time.perf_counter() - begin, (processor() - before) / max(commits, 1)
        print(
            outcome, f"in {took:.1f} s, {took / max(commits, 1) * 1000:.0f} ms a commit, {imported * 1000:.0f} of CPU"
        )
        all_of_them = recorded(root)
        a_resource = first.size / (services * RESOURCES * len(ENVIRONMENTS))
        a_revision = (all_of_them.size - first.size) / max(all_of_them.revisions - first.revisions, 1)
        print(f"first commit: {first.size / 1e6:.1f} MB, {a_resource:.0f} bytes a resource")
        print(
            f"{all_of_them.revisions} revisions, {all_of_them.size / 1e6:.1f} MB, {a_revision:.0f} bytes each later one"
        )
        time_then = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - took))
        figures = {
            "stats": timed(root, "stats"),
            "blame": timed(root, "blame", "prod", "deployment/service-003"),
            "at": timed(root, "at", time_then, "prod"),
            "find": timed(root, "find", "image=nginx:1.2*", "prod"),
            "log": timed(root, "log", "prod"),
            "diff": timed(root, "diff", "HEAD~10", "HEAD", "prod"),
        }
        for name, seconds in figures.items():
            print(f"{name:<8} {seconds * 1000:6.0f} ms")
        times, seconds_of_cpu = [], []
        for number in range(RECORDS):
            edit(root, chance, services)
            commit(root, f"one more, {number}")
            begin, before = time.perf_counter(), processor()
            call_envc(root, "history", "record")
            times.append(time.perf_counter() - begin)
            seconds_of_cpu.append(processor() - before)
        record, cpu = statistics.median(times), statistics.median(seconds_of_cpu)
        spread = f"median of {RECORDS}, {min(times) * 1000:.0f} to {max(times) * 1000:.0f}; CPU {cpu * 1000:.0f}"
        print(f"record   {record * 1000:6.0f} ms ({spread})")
    limit = BYTES_A_REVISION if first.is_sqlite else BYTES_A_REVISION_OF_A_SERVER
    missed = [name for name, seconds in figures.items() if seconds > QUESTION_LIMIT]
    missed += ["record"] * (record > RECORD_LIMIT) + ["CPU of record"] * (cpu > RECORD_CPU)
    missed += ["CPU of import"] * (imported > IMPORT_CPU) + ["size of later revisions"] * (a_revision > limit)
    missed += ["size of the first commit"] * (a_resource > BYTES_A_RESOURCE)
    if missed:
        print("above the limit:", ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    os.environ.setdefault("GIT_CONFIG_NOSYSTEM", "1")
    numbers = [int(text) for text in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [300, 100][len(numbers) :])))
