"""A year of edits of many services in four environments, as a repository: pages and reports are measured with it."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING, Final

from tests.benchmarks.bench_history import ENVIRONMENTS, commit, generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY: Final = 86_400
PERIOD: Final = 330 * DAY
"""Seconds from the first edit to the last."""
PEOPLE: Final = ("Ada Okafor", "Jonas Lind", "Mei Tanaka", "Priya Nair", "Tomas Ruiz")
APPROVED: Final = 0.7
"""The part of the commits that name who approved."""


def make_year(root: Path, services: int, commits: int, end: int) -> None:
    """Write a project, and commit an edit of one file at a time.

    Args:
        root: its folder.
        services: seven resources each.
        commits: how many edits.
        end: the time of the last one, in seconds since 1970.
    """
    generate(root, services)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=root, check=True)
    commit(root, "start")
    script = b"".join(_script(root, services, commits, end))
    subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=root, input=script, check=True)
    subprocess.run(["git", "reset", "--quiet", "--hard", "main"], cwd=root, check=True)


def _script(root: Path, services: int, commits: int, end: int) -> Iterator[bytes]:
    """What `git fast-import` reads: the files as they are, and each edit."""
    chance = random.Random(7)
    edits = _Edits(root, services, chance)
    yield b"reset refs/heads/main\n"
    for number in range(commits + 1):
        files, said = edits.first() if not number else edits.next()
        at = end - PERIOD + PERIOD * number // commits
        who = chance.choice(PEOPLE)
        text = f"{said}\n\nReviewed-by: Bo <bo@example.com>\n" if chance.random() < APPROVED else f"{said}\n"
        by = f"{who} <{who.split()[0].lower()}@example.com> {at} +0000"
        yield f"commit refs/heads/main\nauthor {by}\ncommitter {by}\n{_data(text)}".encode()
        for path, content in files.items():
            yield f"M 100644 inline {path}\n{_data(content)}".encode()
        yield b"\n"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


class _Edits:
    """Edits as people make them: a release that goes through the environments, replicas, requests, a setting."""

    def __init__(self, root: Path, services: int, chance: random.Random) -> None:
        self._root = root
        self._chance = chance
        self._names = [f"service-{number:03}" for number in range(services)]
        self._images = {name: dict.fromkeys(self._names, "1.0.0") for name in ENVIRONMENTS}
        self._patches: dict[tuple[str, str], dict[str, str]] = {}

    def first(self) -> tuple[dict[str, str], str]:
        """Every file of the project."""
        paths = [path for folder in ("base", "overlays") for path in sorted((self._root / folder).rglob("*.yaml"))]
        files = {path.relative_to(self._root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
        for name in self._names:
            files[f"base/{name}.yaml"] = files[f"base/{name}.yaml"].replace("nginx:1.27", f"shop/{name}:1.0.0")
        order = f"environments: [{', '.join(ENVIRONMENTS)}]\n"
        return {**files, "envc.yaml": order, ".gitignore": ".envc/\n"}, "The shop moves to envc"

    def next(self) -> tuple[dict[str, str], str]:
        """The files of one edit, and what its author says."""
        chance = self._chance
        service, place = chance.choice(self._names), chance.choice(ENVIRONMENTS)
        kind = chance.random()
        if kind < 0.5:
            return self._release(service, place)
        patch = self._patches.setdefault((place, service), {})
        if kind < 0.7:
            patch["replicas"] = str(chance.randrange(1, 9))
            said = f"{service}: {patch['replicas']} pods in {place}"
        elif kind < 0.85:
            patch["cpu"] = f"{chance.randrange(1, 21) * 50}m"
            patch["memory"] = f"{chance.randrange(1, 17) * 64}Mi"
            said = f"{service} requests {patch['cpu']} in {place}"
        else:
            patch["key"] = str(chance.randrange(20))
            patch["value"] = f"value-{chance.randrange(10_000)}"
            said = f"{service}: another setting in {place}"
        return {f"overlays/{place}/{service}.yaml": _patch(service, patch)}, said

    def _release(self, service: str, place: str) -> tuple[dict[str, str], str]:
        """A new version in the first environment, or that of the environment before."""
        number = ENVIRONMENTS.index(place)
        tag = self._images[ENVIRONMENTS[number - 1]][service]
        if not number or tag == self._images[place][service]:
            place = ENVIRONMENTS[0]
            major, minor, fix = map(int, self._images[place][service].split("."))
            tag = f"{major}.{minor}.{fix + 1}" if self._chance.random() < 0.8 else f"{major}.{minor + 1}.0"
        self._images[place][service] = tag
        patch = self._patches.setdefault((place, service), {})
        patch["image"] = f"shop/{service}:{tag}"
        return {f"overlays/{place}/{service}.yaml": _patch(service, patch)}, f"{service} {tag} to {place}"


def _patch(service: str, said: dict[str, str]) -> str:
    """What an environment says of a service beside its base."""
    replicas = f"  replicas: {said['replicas']}\n" if "replicas" in said else ""
    requests = f", resources: {{requests: {{cpu: {said['cpu']}, memory: {said['memory']}}}}}" if "cpu" in said else ""
    container = (f', image: "{said["image"]}"' if "image" in said else "") + requests
    pod = f"  template: {{spec: {{containers: [{{name: {service}{container}}}]}}}}\n" if container else ""
    spec = f"spec:\n{replicas}{pod}" if replicas or pod else ""
    text = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {service}}}\n{spec}"
    if "key" in said:
        data = f"data: {{key{said['key']}: {said['value']}}}\n"
        text += f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {service}-config}}\n{data}"
    return text
