"""The Helm chart is built, owned and removed like an environment's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment, read_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CHART = "chart:\n  name: shop\n  version: 1.2.3\n"


@pytest.fixture
def root(make_project: Callable[[Mapping[str, str | bytes]], Path]) -> Path:
    """One service in two environments, with a chart."""
    return make_project({
        "envc.yaml": CHART,
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nreplicas: {web: 3}\n"),
    })


def test_a_build_of_everything_writes_the_chart_too(root: Path) -> None:
    """With a values file for each environment, and the name and version of envc.yaml."""
    assert run_envc(root, "build").code == 0
    files = read_files(root / "environments/chart")
    assert {"Chart.yaml", "values.yaml", "values-dev.yaml", "values-prod.yaml", ".envc-index"} <= files.keys()
    assert b"name: shop\n" in files["Chart.yaml"]
    assert b"version: 1.2.3\n" in files["Chart.yaml"]
    assert "4 environments" not in run_envc(root, "build").err
    assert run_envc(root, "build").err == "2 environments, 2 resources: nothing to do\n"


def test_a_build_of_one_environment_and_no_chart_leave_the_chart_alone(root: Path) -> None:
    """A chart needs every environment."""
    run_envc(root, "build", "prod")
    run_envc(root, "build", "--no-chart")
    assert not (root / "environments/chart").exists()
    run_envc(root, "build")
    assert (root / "environments/chart").exists()


def test_a_stale_chart_is_told_by_check(root: Path) -> None:
    """`--check` names the chart's files like any other."""
    run_envc(root, "build")
    (root / "overlays/prod/environment.yaml").write_text(environment("namespace: prod\nreplicas: {web: 4}\n"))
    checked = run_envc(root, "build", "--check")
    assert checked.code == 16
    assert "environments/chart/values.yaml: stale: would change\n" in checked.out


def test_a_chart_that_is_no_longer_asked_for_is_removed(root: Path) -> None:
    """Only envc's own files go."""
    run_envc(root, "build")
    (root / "environments/chart/notes.txt").write_text("mine\n")
    (root / "envc.yaml").write_text("{}\n")
    assert run_envc(root, "build").code == 0
    assert list(read_files(root / "environments/chart")) == ["notes.txt"]


def test_the_charts_files_edited_by_hand_are_not_overwritten(root: Path) -> None:
    """As with manifests."""
    run_envc(root, "build")
    (root / "environments/chart/values.yaml").write_text("mine: true\n")
    (root / "base/web/deployment.yaml").write_text(deployment(image="nginx:2"))
    built = run_envc(root, "build")
    assert built.code == 1
    assert "environments/chart/values.yaml was changed by hand since envc wrote it" in built.err
    assert (root / "environments/chart/values.yaml").read_text() == "mine: true\n"
