"""The client of `envc watch` beside kubernetes, lightkube and kr8s: a list, a watch, memory, against one API server.

`python -m tests.benchmarks.bench_clients [--python PYTHON] [--objects N]` starts an API server, puts pods into its
etcd, and lets each client list and then watch them, in a process of its own. PYTHON is one that has the peers:
`python -m venv peers && peers/bin/pip install kubernetes kr8s lightkube httpx2 orjson`. The watch begins where it tells
of every object once. Whatever is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLIENTS: Final = ("envc", "lightkube", "kubernetes", "kubernetes, dynamic", "kr8s")
SPACE: Final = "many"
_UIDS: Final = uuid.UUID(int=7)


class Measured(NamedTuple):
    """What a client took for something: seconds on the clock and of its processor."""

    objects: int
    wall: float
    processor: float


class Result(NamedTuple):
    """What a client took, and the most memory it had, in MiB."""

    client: str
    list: Measured
    watch: Measured
    memory: float


def pod_of(number: int, image: str) -> dict[str, Any]:
    """A pod of some four kilobytes, as it is stored; always the same one of a number."""
    name = f"p-{number}"
    variables = [{"name": f"VARIABLE_{at}", "value": "x" * 40} for at in range(40)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": SPACE,
            "uid": str(uuid.uuid5(_UIDS, name)),
            "labels": {"app": name},
        },
        "spec": {"containers": [{"name": "c", "image": image, "env": variables}]},
        "status": {"phase": "Pending"},
    }


def filled(etcd: str, numbers: range, image: str = "example.invalid/i:1", at_once: int = 100) -> None:
    """Pods straight into etcd: the API server serves them like its own.

    Args:
        etcd: its address.
        numbers: which; those that there are get another version.
        image: of their container.
        at_once: how many have one resource version. A watch that is cut goes on behind a version, so what is watched
            has to come one by one, as from an API server.
    """
    connection = http.client.HTTPConnection(etcd.removeprefix("http://"), timeout=60)
    for start in range(0, len(numbers), at_once):
        puts = []
        for number in numbers[start : start + at_once]:
            value = pod_of(number, image)
            key = base64.b64encode(f"/registry/pods/{SPACE}/{value['metadata']['name']}".encode()).decode()
            puts.append({"request_put": {"key": key, "value": base64.b64encode(json.dumps(value).encode()).decode()}})
        connection.request("POST", "/v3/kv/txn", json.dumps({"success": puts}))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"etcd refuses: {answer.status}")


def _envc(config: str) -> Iterator[Callable[[], int]]:
    import asyncio

    from envcompile.cluster.client import Cluster
    from envcompile.cluster.kubeconfig import find_access
    from envcompile.cluster.streaming import Stream

    access = find_access(None, {"KUBECONFIG": config})
    with Cluster(access) as cluster:
        kind = cluster.discover().find("pods")

    async def listed() -> int:
        count = 0
        async with Stream(access) as stream:
            async for page in stream.pages(kind, SPACE):
                count += len(page["items"])
        return count

    async def watched(wanted: int) -> int:
        count = 0
        async with Stream(access) as stream:
            async for events in stream.lines(kind, SPACE, {"resourceVersion": "0"}, patience=60):
                count += len(events)
                if count >= wanted:
                    break
        return count

    found = 0

    def listing() -> int:
        nonlocal found
        found = asyncio.run(listed())
        return found

    yield listing
    yield lambda: asyncio.run(watched(found))


def _lightkube(config: str) -> Iterator[Callable[[], int]]:
    from lightkube import Client, KubeConfig
    from lightkube.resources.core_v1 import Pod

    client = Client(config=KubeConfig.from_file(config))
    found = 0

    def listing() -> int:
        nonlocal found
        found = sum(1 for _ in client.list(Pod, namespace=SPACE))
        return found

    yield listing
    yield lambda: _first(client.watch(Pod, namespace=SPACE, resource_version="0"), found)


def _kubernetes(config: str) -> Iterator[Callable[[], int]]:
    from kubernetes import client, watch
    from kubernetes import config as settings

    settings.load_kube_config(config)
    api = client.CoreV1Api()
    found = 0

    def listing() -> int:
        nonlocal found
        more = ""
        while True:
            page = api.list_namespaced_pod(SPACE, limit=500, **({"_continue": more} if more else {}))
            found += len(page.items)
            more = page.metadata._continue
            if not more:
                return found

    yield listing
    yield lambda: _first(watch.Watch().stream(api.list_namespaced_pod, SPACE, resource_version="0"), found)


def _dynamic(config: str) -> Iterator[Callable[[], int]]:
    from kubernetes import client
    from kubernetes import config as settings
    from kubernetes.dynamic import DynamicClient

    settings.load_kube_config(config)
    pods = DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="Pod")
    found = 0

    def listing() -> int:
        nonlocal found
        more = ""
        while True:
            page = pods.get(namespace=SPACE, limit=500, **({"_continue": more} if more else {}))
            found += len(page.items)
            more = page.metadata.get("continue")
            if not more:
                return found

    yield listing
    yield lambda: _first(pods.watch(namespace=SPACE, resource_version="0"), found)


def _kr8s(config: str) -> Iterator[Callable[[], int]]:
    import asyncio

    import kr8s.asyncio

    os.environ["KUBECONFIG"] = config
    found = 0

    async def listed() -> int:
        return len([pod async for pod in kr8s.asyncio.get("pods", namespace=SPACE)])

    async def watched(wanted: int) -> int:
        count = 0
        api = await kr8s.asyncio.api()
        async for _ in api.async_watch("pods", namespace=SPACE):
            count += 1
            if count >= wanted:
                break
        return count

    def listing() -> int:
        nonlocal found
        found = asyncio.run(listed())
        return found

    yield listing
    yield lambda: asyncio.run(watched(found))


_MAKERS: Final = dict(zip(CLIENTS, (_envc, _lightkube, _kubernetes, _dynamic, _kr8s), strict=True))


def _first(events: Any, count: int) -> int:
    return next((number for number, _ in enumerate(events, 1) if number >= count), 0)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _measure(client: str, config: str) -> None:
    """In a process of its own: print what it took."""
    told = []
    for ask in _MAKERS[client](config):
        wall, processor = time.monotonic(), _processor()
        told.append([ask(), time.monotonic() - wall, _processor() - processor])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps([*told, memory]) + "\n")


def _result(client: str, python: str, config: str) -> Result | str:
    """What a client took, or why there is nothing to say."""
    here = str(Path(__file__).parents[2])
    command = [
        python,
        "-W",
        "ignore",
        "-m",
        "tests.benchmarks.bench_clients",
        "--client",
        client,
        "--kubeconfig",
        config,
    ]
    environ = {**os.environ, "PYTHONPATH": here}
    done = subprocess.run(command, cwd=here, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
    listed, watched, memory = json.loads(done.stdout.splitlines()[-1])
    return Result(client, Measured(*listed), Measured(*watched), memory)


def _table(results: list[Result]) -> str:
    lines = [
        "| client | list, processor (wall) | watch, processor (wall) | events a second of its processor | memory |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.client} | {one.list.processor:.2f} s ({one.list.wall:.1f} s) | {one.watch.processor:.2f} s "
        f"({one.watch.wall:.1f} s) | {one.watch.objects / one.watch.processor:,.0f} | {one.memory:.0f} MiB |"
        for one in results
    ]
    return "\n".join(lines)


def main() -> None:
    """Start a server, let each client ask, print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_clients", description=__doc__)
    parser.add_argument("--objects", type=int, default=5000, help="pods that are listed and watched")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the peers")
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--kubeconfig", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        _measure(options.client, options.kubeconfig)
        return
    from tests.oracles.cluster import running_cluster
    from tests.oracles.tools import Tools

    results = []
    with tempfile.TemporaryDirectory() as folder, running_cluster(Tools.locate(os.environ), Path(folder)) as cluster:
        cluster.kubectl("create", "namespace", SPACE).expect_success()
        filled(cluster.etcd_url, range(options.objects))
        for client in CLIENTS:
            python = sys.executable if client == "envc" else options.python
            found = _result(client, python, str(cluster.kubeconfig))
            if isinstance(found, str):
                sys.stdout.write(f"{client} is left out: {found}\n")
            else:
                results.append(found)
    load = os.getloadavg()[0]
    sys.stdout.write(f"{_table(results)}\n\n{options.objects} pods; load of the machine {load:.0f}\n")


if __name__ == "__main__":
    main()
