"""A build refuses what no API server takes: where it stands, everything at once, and with a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

WRONG = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: "two"
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: Web_1
        image: nginx:1.30
        resources: {limits: {memory: 12Q}}
"""
CONTAINER = "Deployment/web spec.template.spec.containers[name=Web_1]"
SAID = [
    "Deployment/web spec.replicas: `replicas` is a string where an integer belongs",
    f"{CONTAINER}.name: `name` is no DNS label: lower-case letters, digits and `-` inside",
    f"{CONTAINER}.resources.limits.memory: `memory` is no quantity, such as `500m`, `1.5` or `64Mi`",
]


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Two environments of one wrong workload."""
    return make_project({
        "base/web/deployment.yaml": WRONG,
        "base/web/settings.yaml": config_map("web"),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })


def errors(text: str) -> list[str]:
    """What is wrong, of an answer on stderr."""
    return [line.removeprefix("error: ") for line in text.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize(
    "asked", [("history", "record"), ("diff", "--from", "HEAD"), ("explain", "prod", "Deployment/web")]
)
def test_what_others_learn_of_it_is_no_leave(project: Path, asked: tuple[str, ...]) -> None:
    """Whoever compiled it before, and remembers what units tell each other, does not remember it as taken."""
    commit(project)
    run_envc(project, *asked)
    for _ in range(2):
        outcome = run_envc(project, "build")
        assert outcome.code == 1
        assert errors(outcome.err) == SAID


def test_all_of_it_is_told_at_its_line(project: Path) -> None:
    """Once for both environments, and nothing is written."""
    outcome = run_envc(project, "build")
    assert outcome.code == 1
    assert errors(outcome.err) == SAID
    places = [line.split()[1] for line in outcome.err.splitlines() if line.startswith("  --> ")]
    assert places == [f"base/web/deployment.yaml:{place}" for place in ("6:13", "12:15", "14:38")]
    assert not (project / "environments").exists()


def test_it_is_told_again_and_again(project: Path) -> None:
    """Such a unit is never remembered, whoever compiled it."""
    for command in (("build",), ("check",), ("build", "--check"), ("build", "prod"), ("build",)):
        outcome = run_envc(project, *command)
        assert outcome.code == 1
        assert command == ("check",) or errors(outcome.err) == SAID


def test_a_commit_is_held_to_the_same(project: Path) -> None:
    """By the gate before it."""
    commit(project, "wrong")
    said = errors(run_envc(project, "build", "--check", "--at", "HEAD").err)
    assert [text.partition(" does not compile: ")[2] for text in said] == SAID


@pytest.mark.parametrize("setting", ["envc.yaml", "overlay", "annotation"])
def test_there_is_a_way_out(project: Path, setting: str) -> None:
    """For a server that takes it: the grade of the rule, or the annotation of the resource."""
    if setting == "envc.yaml":
        (project / "envc.yaml").write_text("checks: {schema: warning}\n")
    elif setting == "overlay":
        for name in ("dev", "prod"):
            (project / f"overlays/{name}/environment.yaml").write_text(
                environment(f"namespace: {name}\nchecks: {{schema: info}}\n")
            )
    else:
        note = '  name: web\n  annotations: {envcompile.dev/ignore: "schema: a webhook mends it"}\n'
        (project / "base/web/deployment.yaml").write_text(WRONG.replace("  name: web\n", note, 1))
    assert run_envc(project, "build").code == 0
    if setting == "envc.yaml":
        (project / "envc.yaml").unlink()
        assert errors(run_envc(project, "build").err) == SAID


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("        image: nginx:1.30\n", "        image: nginx:1.30\n        imagePolicy: Always\n"),
        ("  replicas: 2\n", "  replicas: 2.0\n"),
        ("  selector: {matchLabels: {app: web}}\n", "  selector: {matchLabels: {app: other}}\n"),
    ],
    ids=["unknown field", "taken by apply", "fields that contradict each other"],
)
def test_what_some_server_takes_or_only_checks_judge_is_written(project: Path, before: str, after: str) -> None:
    """A field that a lenient server drops, a number that apply takes, and what several fields say together."""
    right = WRONG.replace('"two"', "2").replace("Web_1", "web").replace("12Q", "12G")
    assert before in right
    (project / "base/web/deployment.yaml").write_text(right.replace(before, after))
    assert run_envc(project, "build").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: envcompile.dev/v1\nkind: Generate\nbehavior: replace\nconfigMap: {literals: [A=1]}\n",
        "apiVersion: v1\nkind: ConfigMap\ndata: {$patch: replace, A: '1'}\n",
    ],
)
def test_a_directive_with_nothing_below_it_is_told_as_that(make_project: MakeProject, text: str) -> None:
    """The mend is another one than for a key that is misspelled."""
    root = make_project({
        "base/web/settings.yaml": config_map("web"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        "overlays/prod/own.yaml": f"{text}metadata: {{name: own}}\n",
    })
    outcome = run_envc(root, "build")
    assert outcome.code == 1
    assert "ConfigMap/own data.$patch" in outcome.err
    assert "a directive speaks to what lies below it, and nothing does here" in outcome.err
    assert "envcompile.dev/ignore" not in outcome.err
