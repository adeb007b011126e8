"""Brings the cases of `cases.py` about in a real cluster: a namespace each, applied both ways, then acted upon."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tests.cluster.drift import further
from tests.cluster.drift.cases import CLIENT, INJECTION, MANAGER, objects, objects_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cluster.drift.cases import Case
    from tests.oracles.cluster import Cluster

Mode = Literal["client-side", "server-side"]
WORDS: Final[dict[Mode, tuple[str, ...]]] = {
    "client-side": ("apply",),
    "server-side": ("apply", "--server-side", f"--field-manager={MANAGER}"),
}
APPLIERS: Final[dict[Mode, str]] = {"client-side": CLIENT, "server-side": MANAGER}
PLURALS: Final = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Gadget": "/apis/drift.example.com/v1/namespaces/{}/gadgets",
    "LimitRange": "/api/v1/namespaces/{}/limitranges",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "Widget": "/apis/drift.example.com/v1/namespaces/{}/widgets",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
}
WORKED_ON: Final = frozenset({"Deployment", "StatefulSet", "HorizontalPodAutoscaler"})
"""Kinds that a controller writes a status on."""
CUSTOM: Final = frozenset({"Gadget", "Widget"})
SCALER: Final = ("HorizontalPodAutoscaler", "scaled")
PATIENCE: Final = 60.0
"""Seconds."""


class Row(NamedTuple):
    """What came of one case: the object as compiled and as the server has it, and its dry run under another name."""

    mode: Mode
    case: str
    desired: dict[str, Any]
    live: dict[str, Any] | None
    probe: dict[str, Any] | None


def known_objects() -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of all cases, by kind and name."""
    return {**objects(), **objects_of(further.OBJECTS)}


def bring_about(cluster: Cluster, mode: Mode, cases: Iterable[Case]) -> dict[str, str]:
    """Apply the object of each case, and what belongs to it, then do what the case does; its namespace by name."""
    chosen = list(cases)
    spaces = {case.name: f"{mode}-{number:02}" for number, case in enumerate(chosen)}
    spaces |= {name: f"{space}-injected" for name, space in spaces.items() if name == "injected"}
    known = known_objects()
    if any(case.object[0] in CUSTOM for case in chosen):
        cluster.apply(further.DEFINITIONS).expect_success()
        time.sleep(3)
    if "injected" in spaces:
        cluster.apply(_manifests(INJECTION)).expect_success()
        time.sleep(3)
    cluster.apply(_manifests(_namespace(space) for space in spaces.values())).expect_success()
    wanted = [
        _in(known[key], spaces[case.name])
        for case in chosen
        for key in dict.fromkeys([
            case.object,
            *([("HorizontalPodAutoscaler", "scaled")] if case.object[1] == "scaled" else []),
        ])
    ]
    cluster.kubectl(*WORDS[mode], "-f", "-", stdin=_manifests(wanted)).expect_success()
    for case in chosen:
        _wait(cluster, case, spaces[case.name])
    for case in chosen:
        if case.act is not None:
            case.act(cluster, spaces[case.name])
    return spaces


def read(cluster: Cluster, mode: Mode, case: Case, namespace: str) -> Row:
    """What the cluster has of a case's object."""
    kind, name = case.object
    desired = _in(known_objects()[case.object], namespace)
    place = PLURALS[kind].format(namespace)
    probe = {**desired, "metadata": {**desired["metadata"], "name": f"{name}-probe"}}
    status, answer = cluster.post(f"{place}?dryRun=All&fieldManager=envc", probe)
    return Row(mode, case.name, desired, cluster.read(f"{place}/{name}"), answer if status == 201 else None)


def _wait(cluster: Cluster, case: Case, namespace: str) -> None:
    """Until controllers have written what they write, and an autoscaler its first number."""
    kind, name = case.object
    if kind not in WORKED_ON:
        return
    place = f"{PLURALS[kind].format(namespace)}/{name}"
    deadline = time.monotonic() + PATIENCE
    while True:
        live = cluster.read(place)
        is_scaled = case.name != "an autoscaler sets replicas" or live["spec"].get("replicas") == 2
        if (
            "status" in live
            and ("observedGeneration" in live["status"] or "conditions" in live["status"])
            and is_scaled
        ):
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{place}: not worked on after {PATIENCE:.0f} s")
        time.sleep(0.2)


def _in(value: dict[str, Any], namespace: str) -> dict[str, Any]:
    return {**value, "metadata": {**value["metadata"], "namespace": namespace}}


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _manifests(values: Iterable[dict[str, Any]]) -> str:
    return "\n---\n".join(map(json.dumps, values))
