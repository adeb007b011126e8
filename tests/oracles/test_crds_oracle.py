"""`envc crds add --from-cluster` against a real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.actions.test_crds import RESOURCE, WIDGET
from tests.harness.command import run_envc
from tests.harness.repository import environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject
    from tests.oracles.cluster import Cluster

pytestmark = pytest.mark.oracle


def test_definitions_come_from_the_cluster(
    kube_cluster: Cluster, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the kinds that the project has; of one that the cluster lacks, that is said."""
    for name in ("widgets", "gadgets"):
        definition = yaml.safe_load(WIDGET.replace("widgets", name).replace("Widget", name[:-1].capitalize()))
        status, answer = kube_cluster.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        assert status == 201, answer
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/widget.yaml": RESOURCE,
        "base/a/other.yaml": "apiVersion: other.example.com/v1\nkind: Other\nmetadata:\n  name: o\n",
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    })
    monkeypatch.setenv("KUBECONFIG", str(kube_cluster.kubeconfig))
    outcome = run_envc(root, "crds", "add", "--from-cluster")
    assert (outcome.code, outcome.out) == (0, "new crds/widgets.example.com.yaml\n")
    assert "the cluster defines no Other.other.example.com" in outcome.err
    assert run_envc(root, "crds", "add", "--from-cluster", "Gadget.example.com").out == (
        "new crds/gadgets.example.com.yaml\n"
    )
    assert "kinds without a schema (`envc crds add` brings their definitions): Other.other.example.com" in (
        run_envc(root, "check").err
    )
