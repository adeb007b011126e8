"""What a history costs to record and to ask: `python -m tests.benchmarks.bench_history [COMMITS] [SERVICES]`.

A repository of services in four environments gets generated edits, one a commit; all are imported, and each
question is asked in a process of its own. ENVC_HISTORY_URL chooses the database. The limits hold on two cores.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from envcompile.actions.past import open_past
from envcompile.history.stats import sizes
from tests.harness.command import call_envc
from tests.harness.repository import config_map, deployment, environment, write_files

ENVIRONMENTS = ("dev", "test", "staging", "prod")
QUESTION_LIMIT = 1.0
RECORD_LIMIT = 0.3
"""The whole process, from its start to its end, for a commit that changes one file."""
RECORDS = 15
BYTES_A_REVISION = 6000
"""11.5 MB for 2,004 revisions of environments, the figure that the tables were designed by."""

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
        begin = time.perf_counter()
        outcome = run(root, "import")
        took = time.perf_counter() - begin
        print(outcome, f"in {took:.1f} s, {took / (commits + 1) * 1000:.0f} ms a commit")
        with closing(open_past(root)) as past:
            counted = sizes(past.store.database)
        empty = 0 if past.store.database.is_sqlite else EMPTY_POSTGRESQL
        a_revision = (counted["bytes"] - empty) / counted["revisions"]
        print(f"{counted['revisions']} revisions, {counted['bytes'] / 1e6:.1f} MB, {a_revision:.0f} bytes a revision")
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
        times = []
        for number in range(RECORDS):
            edit(root, chance, services)
            commit(root, f"one more, {number}")
            begin = time.perf_counter()
            call_envc(root, "history", "record")
            times.append(time.perf_counter() - begin)
        record = statistics.median(times)
        spread = f"median of {RECORDS}, {min(times) * 1000:.0f} to {max(times) * 1000:.0f}"
        print(f"record   {record * 1000:6.0f} ms ({spread})")
    slow = [name for name, seconds in figures.items() if seconds > QUESTION_LIMIT]
    if slow or record > RECORD_LIMIT or a_revision > BYTES_A_REVISION:
        print("above the limit:", *slow, "record" * (record > RECORD_LIMIT), "size" * (a_revision > BYTES_A_REVISION))
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("GIT_CONFIG_NOSYSTEM", "1")
    numbers = [int(text) for text in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [300, 100][len(numbers) :])))
