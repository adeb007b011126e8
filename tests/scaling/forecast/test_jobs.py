"""CronJobs that set a minimum are ready for a cluster: nothing is found against them, and each may do one thing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from envcompile.model import ResourceId
from envcompile.scaling.forecast.jobs import minimum_jobs
from envcompile.scaling.forecast.schedule import MinimumChange
from envcompile.yamlio import dump
from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

_CHANGES = [MinimumChange("57 18 * * *", 12), MinimumChange("1 23 * * *", 2)]
_SCALERS = {
    "hpa": (
        ResourceId("autoscaling", "HorizontalPodAutoscaler", "shop", "web"),
        "horizontalpodautoscalers.autoscaling",
    ),
    "keda": (ResourceId("keda.sh", "ScaledObject", "shop", "web"), "scaledobjects.keda.sh"),
}


@pytest.mark.parametrize("name", sorted(_SCALERS))
def test_nothing_is_found_against_the_jobs(tmp_path: Path, name: str) -> None:
    """They compile as they are, within the restricted level of pod security."""
    scaler, resource = _SCALERS[name]
    objects = minimum_jobs(scaler, _CHANGES, "Europe/Berlin")
    labels = "labels: {pod-security.kubernetes.io/enforce: restricted}"
    space = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  {labels}\n"
    write_files(
        tmp_path,
        {
            "base/floor/jobs.yaml": "---\n".join(dump(one) for one in objects),
            "base/floor/namespace.yaml": space,
            "overlays/prod/environment.yaml": environment(),
        },
    )
    said = run_envc(tmp_path, "check", "prod", "--format", "json")
    assert said.code == 0, said.err
    # The digest of the image is for those who run it: they name their registry under `images:`.
    assert {one["rule"] for one in json.loads(said.out)["findings"]} == {"image-not-digest"}, said.out
    jobs = [one for one in objects if one["kind"] == "CronJob"]
    arguments = [one["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"] for one in jobs]
    assert [one[1] for one in arguments] == [f"{resource}/web"] * 2
    field = {"hpa": "minReplicas", "keda": "minReplicaCount"}[name]
    assert [json.loads(one[-1]) for one in arguments] == [{"spec": {field: 12}}, {"spec": {field: 2}}]
    (role,) = (one for one in objects if one["kind"] == "Role")
    assert role["rules"] == [
        {
            "apiGroups": [scaler.group],
            "resources": [resource.partition(".")[0]],
            "resourceNames": ["web"],
            "verbs": ["get", "patch"],
        }
    ]


def test_where_nothing_changes_nothing_runs() -> None:
    """No account either."""
    assert minimum_jobs(_SCALERS["hpa"][0], [], "UTC") == []
