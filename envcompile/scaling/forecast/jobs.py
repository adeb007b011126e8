"""A floor under the replicas as CronJobs that set the minimum of an autoscaler, for clusters without KEDA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.model import ResourceId
    from envcompile.scaling.forecast.schedule import MinimumChange

KUBECTL: Final = "registry.k8s.io/kubectl:v1.37.2"
"""What sets the minimum. https://kubernetes.io/releases/download/#container-images"""
_FIELDS: Final = {
    "HorizontalPodAutoscaler": ("horizontalpodautoscalers", "minReplicas"),
    "ScaledObject": ("scaledobjects", "minReplicaCount"),
}
"""Plural and field of what holds a minimum."""
_LABEL: Final = "app.kubernetes.io/name"
_LATE_SECONDS: Final = 600
"""A change that was missed by more is not made up for: the next one is near."""


def minimum_jobs(scaler: ResourceId, changes: Sequence[MinimumChange], timezone: str) -> list[dict[str, Any]]:
    """An account that may change one autoscaler, and a CronJob for each change of its minimum.

    Args:
        scaler: the autoscaler.
        changes: when its minimum becomes what.
        timezone: whose wall clock they follow.
    """
    if not changes:
        return []
    name = f"{scaler.name}-minimum"
    rbac = "rbac.authorization.k8s.io"
    plural, field = _FIELDS[scaler.kind]
    rule = {
        "apiGroups": [scaler.group],
        "resources": [plural],
        "resourceNames": [scaler.name],
        "verbs": ["get", "patch"],
    }
    account = {"kind": "ServiceAccount", "name": name, "namespace": scaler.namespace}
    return [
        _object("v1", "ServiceAccount", name, scaler, automountServiceAccountToken=False),
        _object(f"{rbac}/v1", "Role", name, scaler, rules=[rule]),
        _object(
            f"{rbac}/v1",
            "RoleBinding",
            name,
            scaler,
            roleRef={"apiGroup": rbac, "kind": "Role", "name": name},
            subjects=[account],
        ),
        _object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            name,
            scaler,
            spec={"podSelector": {"matchLabels": {_LABEL: name}}, "policyTypes": ["Ingress"]},
        ),
        *(
            _job(
                scaler,
                name,
                f"{name}-{number}",
                plural,
                f'{{"spec":{{"{field}":{change.replicas}}}}}',
                change,
                timezone,
            )
            for number, change in enumerate(changes, 1)
        ),
    ]


def _object(version: str, kind: str, name: str, scaler: ResourceId, **rest: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": scaler.namespace, "labels": {_LABEL: name}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def _job(
    scaler: ResourceId, account: str, name: str, plural: str, patch: str, change: MinimumChange, timezone: str
) -> dict[str, Any]:
    container = {
        "name": "kubectl",
        "image": KUBECTL,
        "args": ["patch", f"{plural}.{scaler.group}/{scaler.name}", "--type=merge", "--patch", patch],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    pod = {
        "serviceAccountName": account,
        # The account is nobody's but these pods', which speak to the API server.
        "automountServiceAccountToken": True,
        "restartPolicy": "OnFailure",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    labels = {_LABEL: account}
    return _object(
        "batch/v1",
        "CronJob",
        name,
        scaler,
        spec={
            "schedule": change.cron,
            "timeZone": timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": _LATE_SECONDS,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 3,
                    "ttlSecondsAfterFinished": 3600,
                    "template": {"metadata": {"labels": labels}, "spec": pod},
                }
            },
        },
    )
