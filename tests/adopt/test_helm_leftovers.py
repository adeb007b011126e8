"""What Helm leaves in its manifests is named, and taken out on request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.cli import main
from envcompile.kubernetes.helm import sort_leftovers

if TYPE_CHECKING:
    from tests.adopt.conftest import Write

MARKS = "helm.sh/chart: web-1.2.3, app.kubernetes.io/managed-by: Helm, app: web"
RENDERED = f"""\
# Source: web/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    helm.sh/chart: web-1.2.3
    app.kubernetes.io/managed-by: Helm
    app: web # ours
  annotations:
    meta.helm.sh/release-name: web
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{{MARKS}}}}}
    spec: {{containers: [{{name: web, image: web:v1}}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, annotations: {{helm.sh/hook: "pre-upgrade,pre-install"}}}}
spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: web:v1}}]}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web-test-x7f, annotations: {{helm.sh/hook: test}}}}
spec: {{containers: [{{name: a, image: web:v1}}]}}
"""


@pytest.mark.parametrize("cleans", [False, True])
def test_leftovers_are_named_and_taken_out_when_asked(
    write: Write,
    capsys: pytest.CaptureFixture[str],
    cleans: bool,  # ruff: ignore[boolean-type-hint-positional-argument]
) -> None:
    """Labels, annotations and tests; the author's comments stay, hooks are told of."""
    write({"prod.yaml": RENDERED})
    assert main(["init", "new", "--from-manifests", "old", "--helm", "clean" if cleans else "keep"]) == 0
    told = capsys.readouterr().err.splitlines()
    what = (
        "annotation meta.helm.sh/release-name of 1 object; label app.kubernetes.io/managed-by of 1 object; "
        "label helm.sh/chart of 1 object; tests of the chart: Pod/web-test-x7f"
    )
    start = "taken out, because only Helm reads it" if cleans else "Helm left this, `--helm clean` takes it out"
    assert told[0] == f"note: prod: {start}: {what}"
    assert told[1].startswith(
        "note: prod: these are hooks, which Argo CD runs as Helm did and `kubectl apply` does not: "
    )
    assert "Job/migrate (pre-install, pre-upgrade)" in told[1]
    base = "".join(path.read_text(encoding="utf-8") for path in sorted(Path("new/base").rglob("*.yaml")))
    assert "app: web # ours" in base
    assert ("helm.sh/chart" not in base) is cleans
    assert ("web-test-x7f" not in base) is cleans
    assert "kind: Job" in base
    assert main(["--project", "new", "build"]) == 0


def test_a_label_that_selects_stays(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A Service that finds pods by `helm.sh/chart` would lose them."""
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        "spec: {selector: {helm.sh/chart: web-1.2.3}, ports: [{port: 80}]}\n"
    )
    write({"prod.yaml": f"{RENDERED}---\n{service}"})
    assert main(["init", "new", "--from-manifests", "old", "--helm", "clean"]) == 0
    assert "label helm.sh/chart" not in capsys.readouterr().err


def test_the_labels_of_old_charts_are_known() -> None:
    """`chart` and `heritage`, as charts said before there were common labels; a `chart` of one's own is none."""

    def left(**labels: str) -> dict[str, str]:
        ((_, value),) = sort_leftovers([{"kind": "ConfigMap", "metadata": {"labels": labels}}], cleans=True).kept
        return dict(value["metadata"].get("labels", {}))

    assert left(chart="redis-1.2.3", heritage="Tiller", release="x") == {"release": "x"}
    assert left(chart="sales") == {"chart": "sales"}
    assert left(heritage="UNESCO", chart="sales") == {"heritage": "UNESCO", "chart": "sales"}


def test_helm_without_a_source_is_refused(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """It would do nothing."""
    write({})
    assert main(["init", "new", "--helm", "clean"]) == 2
    assert "--helm tell of what is brought over" in capsys.readouterr().err
