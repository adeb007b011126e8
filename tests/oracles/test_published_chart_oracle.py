"""The chart in the hands of others: both Helms take it as a dependency, with theirs beside, and package it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.chart import emit
from envcompile.yamlio import load_all
from tests.chart.samples import chart_input, deployment, service, with_namespace
from tests.chart.test_published import DETAILS, project
from tests.harness.command import run_envc
from tests.harness.repository import write_files
from tests.oracles.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.oracle

REDIS = {
    "Chart.yaml": "apiVersion: v2\nname: redis\nversion: 1.2.0\n",
    "templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\n",
    "values.yaml": "enabled: true\nexports: {data: {}}\na: {}\n",
}
PING = """\
apiVersion: v1
kind: Pod
metadata:
  name: ping
  annotations: {helm.sh/hook: test}
spec: {containers: [{name: ping, image: busybox}]}
"""
PARENT = """\
apiVersion: v2
name: parent
version: 0.1.0
dependencies:
  - {name: shop, version: ">=0-0", repository: "file://../project/environments/chart", CONDITION}
"""


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest) -> Path:
    """Each Helm."""
    found: Path = request.getfixturevalue(request.param)
    return found


def test_it_is_packaged_with_its_dependencies_and_proven_without_them(helm: Path, make_project: MakeProject) -> None:
    """Case chart-cannot-be-published: under its own version; a test and another's chart are none of envc's."""
    root = project(make_project, DETAILS.replace("oci://registry.example.com/charts", "file://../../../redis"))
    write_files(root.parent / "redis", REDIS)
    assert run_envc(root, "build").code == 0
    chart = root / "environments/chart"
    write_files(chart, {"templates/tests/ping.yaml": PING})
    run(helm, "dependency", "update", chart).expect_success()
    run(helm, "lint", "--strict", chart).expect_success()
    run(helm, "package", chart, "--destination", root.parent / "packed").expect_success()
    assert (root.parent / "packed/shop-1.10.0-rc.1+b.7.tgz").is_file()
    printed = run(helm, "template", "r", chart).expect_success().stdout
    assert {"ping", "cache", "web"} <= {one["metadata"]["name"] for one in load_all(printed.encode(), "printed")}
    proof = run_envc(root, "chart", "verify", "--helm", str(helm), "--format", "json")
    assert proof.code == 0, proof.out + proof.err


@pytest.mark.parametrize("condition", ["condition: shop.enabled", "tags: [shop]", "alias: store"])
def test_it_can_be_a_dependency(helm: Path, condition: str, make_project: MakeProject) -> None:
    """Case chart-refuses-to-be-a-dependency: globals of the parent, a condition, tags and an alias."""
    root = project(make_project, "chart: {name: shop}\n")
    assert run_envc(root, "build").code == 0
    parent = write_files(root.parent / "parent", {"Chart.yaml": PARENT.replace("CONDITION", condition)})
    run(helm, "dependency", "build", parent).expect_success()
    key = "store" if "alias" in condition else "shop"

    def names(*flags: str) -> list[str]:
        printed = run(helm, "template", "r", parent, *flags).expect_success().stdout
        return [one["metadata"]["name"] for one in load_all(printed.encode(), "printed") if one]

    assert names("--set", "global.storageClass=fast", "--set", "global.security.fips=true") == ["web"]
    assert names("--set", f"{key}.enabled=true", "--set", "tags.shop=true") == ["web"]
    off = {"condition": f"{key}.enabled=false", "tags": "tags.shop=false"}.get(condition.partition(":")[0])
    assert off is None or names("--set", off) == []
    refused = run(helm, "template", "r", parent, "--set", f"{key}.enabeld=true")
    assert not refused.ok
    assert "enabeld" in refused.stderr


@pytest.mark.parametrize("split", [False, True], ids=["flat", "split"])
@pytest.mark.parametrize("alias", ["shop", "store"])
def test_a_parent_takes_values_of_it_and_renders_what_it_renders_alone(
    helm: Path, alias: str, tmp_path: Path, *, split: bool
) -> None:
    """`import-values` beside a condition and an alias, also where the chart has charts and a library of its own."""
    resources = with_namespace("shop", deployment("front"), service("front"), deployment("back"))
    write_files(tmp_path / "shop", emit(chart_input({"dev": resources}, split=split)))
    taken = "import-values: [{child: global, parent: taken}, {child: front.image, parent: picture}]"
    stated = f"repository: file://../shop, alias: {alias}, condition: {alias}.enabled, {taken}"
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: parents-own}\n"
        "data: {namespace: {{ .Values.taken.namespace }}, image: {{ .Values.picture.repository }}}\n"
    )
    dependency = f"dependencies:\n  - {{name: shop, version: 0.1.0, {stated}}}\n"
    parent = write_files(
        tmp_path / "parent",
        {"Chart.yaml": f"apiVersion: v2\nname: parent\nversion: 0.1.0\n{dependency}", "templates/own.yaml": template},
    )
    run(helm, "dependency", "build", parent).expect_success()

    def rendered(chart: Path, *flags: str) -> dict[tuple[str, str], Any]:
        printed = run(helm, "template", "r", chart, *flags).expect_success().stdout
        objects = [one for one in load_all(printed.encode(), "printed") if one]
        return {(one["kind"], one["metadata"]["name"]): one for one in objects}

    alone = rendered(tmp_path / "shop")
    found = rendered(parent, "--set", "global.storageClass=fast")
    assert found.pop(("ConfigMap", "parents-own"))["data"] == {"namespace": "shop", "image": "nginx"}
    assert found == alone
    assert len(alone) == 3
    for change in (f"{alias}.front.replicas=7", f"{alias}.front.image.tag=x"):
        changed = rendered(parent, "--set", change)
        assert [key for key in alone if changed[key] != alone[key]] == [("Deployment", "front")]


def test_values_of_ones_own_are_held_against_the_schema(helm: Path, make_project: MakeProject) -> None:
    """Of an environment that is not compiled: a mistyped key or a wrong type is a difference, with helm's words."""
    root = project(make_project, "chart: {name: shop}\n")
    assert run_envc(root, "build").code == 0
    values = root / "environments/chart/values-qa.yaml"
    values.write_text("web: {replicas: 7}\n", encoding="utf-8")
    asked = ("chart", "verify", "--helm", str(helm))
    done = run_envc(root, *asked)
    assert done.code == 0, done.out
    assert "values-qa.yaml was held against the chart's schema alone" in done.err
    assert run_envc(root, "build", "--check").code == 0
    for text, word in (("web: {replicsa: 7}\n", "replicsa"), ("web: {replicas: many}\n", "replicas")):
        values.write_text(text, encoding="utf-8")
        refused = run_envc(root, *asked, "qa")
        assert (refused.code, word in refused.out) == (16, True), refused.out
