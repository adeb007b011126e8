"""`envc watch --manifests`: what runs the watcher inside of a cluster, with the rights that it needs and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import Problem, UsageError
from envcompile.yamlio import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMESPACE: Final = "envc-watch"
_NAME: Final = "envc-watch"
_PORT: Final = 9105
_LABELS: Final = {"app.kubernetes.io/name": _NAME}
_IGNORED: Final = """\
replicas-min: two watchers of one cluster would store everything twice, and one that was away finds what it missed
config-ref-missing: the Secret holds the address of the database, and is made where the database is
"""
_READ: Final = ("list", "watch")
_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "": (
        "configmaps", "events", "limitranges", "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes",
        "pods", "podtemplates", "replicationcontrollers", "resourcequotas", "serviceaccounts", "services",
    ),
    "admissionregistration.k8s.io": (
        "mutatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "apiregistration.k8s.io": ("apiservices",),
    "apps": ("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "networking.k8s.io": ("ingressclasses", "ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
    "rbac.authorization.k8s.io": ("clusterrolebindings", "clusterroles", "rolebindings", "roles"),
    "scheduling.k8s.io": ("priorityclasses",),
    "storage.k8s.io": ("csidrivers", "csinodes", "storageclasses", "volumeattachments"),
}  # fmt: skip
"""The kinds of Kubernetes itself that are worth watching; Secrets are not among them."""


def manifests(*, image: str, name: str = "", namespace: str = "", kinds: Sequence[str] = ()) -> str:
    """The objects as YAML.

    Args:
        image: an image that has envc with the extras `cluster` and `postgres`.
        name: what the cluster is called in the database.
        namespace: only this one is watched; all when empty.
        kinds: only these, as `envc watch --kinds` takes them.

    Raises:
        UsageError: there is no image.
    """
    if not image:
        raise UsageError([
            Problem(
                "--manifests needs an image that has envc",
                "build one with `pip install 'envcompile[cluster,postgres]'`, and name it by --image with its digest",
            )
        ])
    arguments = ["watch", "--name", name or "in-cluster", "--listen", f"0.0.0.0:{_PORT}"]
    arguments += ["--namespace", namespace] if namespace else []
    arguments += ["--kinds", ",".join(kinds)] if kinds else []
    objects = [*_rights(), _policy(), _workload(image, arguments)]
    return "---\n".join(dump(one) for one in objects)


def _object(
    api_version: str,
    kind: str,
    *,
    namespaced: bool = True,
    annotations: dict[str, str] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    place = {"namespace": NAMESPACE} if namespaced else {}
    notes = {"annotations": annotations} if annotations else {}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": _NAME, **place, "labels": dict(_LABELS), **notes},
        **fields,
    }


def _rights() -> list[dict[str, Any]]:
    rules = [
        {"apiGroups": [group], "resources": list(resources), "verbs": list(_READ)}
        for group, resources in _KINDS.items()
    ]
    rules.append({"apiGroups": ["metrics.k8s.io"], "resources": ["pods"], "verbs": ["list"]})
    reader = "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": _NAME, "namespace": NAMESPACE}
    binding = _object(
        f"{reader}/v1",
        "ClusterRoleBinding",
        namespaced=False,
        roleRef={"apiGroup": reader, "kind": "ClusterRole", "name": _NAME},
        subjects=[account],
    )
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    space = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {**_LABELS, **levels}},
    }
    return [
        space,
        _object("v1", "ServiceAccount", automountServiceAccountToken=False),
        _object(f"{reader}/v1", "ClusterRole", namespaced=False, rules=rules),
        binding,
    ]


def _policy() -> dict[str, Any]:
    """Asked for its figures by anybody in the cluster, and free to reach the API server and the database."""
    return _object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={
            "podSelector": {"matchLabels": dict(_LABELS)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": _PORT, "protocol": "TCP"}]}],
        },
    )


def _workload(image: str, arguments: list[str]) -> dict[str, Any]:
    def probe(path: str, **more: int) -> dict[str, Any]:
        return {"httpGet": {"path": path, "port": "metrics"}, "periodSeconds": 15, "timeoutSeconds": 5, **more}

    def from_secret(name: str, key: str) -> dict[str, Any]:
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": _NAME, "key": key}}}

    container = {
        "name": "envc",
        "image": image,
        "args": arguments,
        "env": [from_secret("ENVC_HISTORY_URL", "url"), from_secret("ENVC_IDENTITY_KEY", "key")],
        "ports": [{"name": "metrics", "containerPort": _PORT}],
        "livenessProbe": probe("/healthz", failureThreshold=4),
        "readinessProbe": probe("/readyz"),
        "startupProbe": probe("/healthz", failureThreshold=20),
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    pod = {
        "serviceAccountName": _NAME,
        # The account is nobody's but this pod's, which speaks to the API server.
        "automountServiceAccountToken": True,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return _object(
        "apps/v1",
        "Deployment",
        annotations={"envcompile.dev/ignore": _IGNORED},
        spec={
            "replicas": 1,
            # Two watchers of one cluster would store everything twice.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": dict(_LABELS)},
            "template": {"metadata": {"labels": dict(_LABELS)}, "spec": pod},
        },
    )
