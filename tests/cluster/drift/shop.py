"""The shop's production as it runs after some people were at it: what the guide shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster.drift.fake import applied, compiled, wrote

if TYPE_CHECKING:
    from pathlib import Path

    Value = dict[str, Any]


def production(root: Path) -> list[Value]:
    """The live objects of production: one image, one number, one label and one key by hand; one deleted, one left."""
    objects = [applied(value) for value in compiled(root / "environments" / "prod")]
    known = {(value["kind"], value["metadata"]["name"]): value for value in objects}
    service = known["Deployment", "user-service"]
    container = service["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "registry.example.com/user-service:v1.4.3-hotfix"
    by_name: Value = {f'k:{{"name":"{container["name"]}"}}': {"f:image": {}}}
    wrote(service, "kubectl-set", {"f:spec": {"f:template": {"f:spec": {"f:containers": by_name}}}})
    service["spec"]["replicas"] = 7
    wrote(service, "kube-controller-manager", {"f:spec": {"f:replicas": {}}})
    app = known["Deployment", "app"]
    app["spec"]["replicas"] = 9
    wrote(app, "kubectl", {"f:spec": {"f:replicas": {}}})
    app["metadata"].setdefault("labels", {})["incident"] = "4711"
    wrote(app, "kubectl-label", {"f:metadata": {"f:labels": {"f:incident": {}}}})
    left = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old-config", "namespace": "production"}}
    gone = known["PodDisruptionBudget", next(name for kind, name in known if kind == "PodDisruptionBudget")]
    return [*(value for value in objects if value is not gone), applied({**left, "data": {"a": "b"}})]
