"""What is written down of the API server's answers is what it answers today."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envcompile.check.cel.values import UnknownError
from envcompile.check.policy.defaults import admitted
from envcompile.kubernetes import load
from tests.oracles.cel_admission import ANSWERS, CelAdmission, expressions

DECLARED = (
    "apps/v1 Deployment", "apps/v1 DaemonSet", "apps/v1 ReplicaSet", "batch/v1 CronJob", "batch/v1 Job",
)  # fmt: skip
POD = {
    "hostNetwork": False,
    "nodeSelector": {},
    "volumes": [{"name": "a"}, {"name": "b", "secret": {"secretName": "s"}}, {"name": "c", "hostPath": {"path": "/c"}}],
    "serviceAccount": "old",
    "containers": [
        {
            "name": "main",
            "image": "registry.example/a",
            "tty": False,
            "command": [],
            "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi", "a.b/c": "1e3"}, "requests": {"cpu": 2}},
            "ports": [{"containerPort": 80}],
            "livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 0},
            "env": [
                {"name": "A", "value": ""},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
            "securityContext": {"privileged": False},
        },
        {"name": "tagged", "image": "registry.example/a:1.0"},
    ],
}


@pytest.fixture(scope="module")
def program(cel_admission: Path) -> Iterator[CelAdmission]:
    """The program, ended afterwards."""
    found = CelAdmission(cel_admission)
    yield found
    found.close()


def test_the_answers_are_the_servers(program: CelAdmission) -> None:
    """Every expression is asked again."""
    known = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    assert [[text, *program.answer(text)] for text in expressions()] == known


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, UnknownError) else value


@pytest.mark.parametrize("kind", DECLARED)
def test_defaults_are_the_servers(program: CelAdmission, kind: str) -> None:
    """A workload is seen with the defaults that the server gives it, and without what it leaves out."""
    version, _, name = kind.partition(" ")
    template = {"metadata": {"labels": {"app": "a"}}, "spec": POD}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    if name in {"Job", "CronJob"}:
        spec = {"template": {**template, "spec": {**POD, "restartPolicy": "Never"}}}
    if name == "CronJob":
        spec = {"schedule": "* * * * *", "jobTemplate": {"spec": spec}}
    value = {"apiVersion": version, "kind": name, "metadata": {"name": "x"}, "spec": spec}
    theirs = program.ask(op="default", object=value)["object"]
    assert _plain(admitted(load("1.37"), value))["spec"] == theirs["spec"]
