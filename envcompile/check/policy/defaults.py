"""An object as admission policies see it: decoded, with the server's defaults, and what the server adds on its own.

What it adds and nobody can know beforehand (a uid, the address of a Service) is there as an unknown. Sources:
pkg/apis/*/v1/defaults.go, pkg/registry/*/strategy.go and plugin/pkg/admission of kubernetes/kubernetes; the tables in
`defaults.json` name theirs.
"""

from __future__ import annotations

import base64
import copy
import json
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel.values import UnknownError
from envcompile.check.policy.structural import defaulted
from envcompile.check.reading import at, list_at, map_at, maps_at, text_at
from envcompile.kubernetes.crds import SchemaNode
from envcompile.kubernetes.quantities import quantity
from envcompile.kubernetes.tables import TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.schema import Node

_TABLE: Final = Path(__file__).with_name("defaults.json")
_GENERATED: Final = frozenset({
    "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "CronJob", "HorizontalPodAutoscaler",
    "Ingress", "NetworkPolicy", "PodDisruptionBudget", "ReplicationController", "PriorityClass",
})  # fmt: skip
"""Built-in kinds that count their changes."""
_STATUS: Final[Mapping[str, dict[str, Any]]] = {
    "Pod": {"phase": "Pending", "qosClass": UnknownError("the class of service is worked out by the server", "string")},
    "Namespace": {"phase": "Active"},
    "PersistentVolume": {"phase": "Pending"},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
    "PodDisruptionBudget": dict.fromkeys(("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0),
}
_TOLERATIONS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_RBAC: Final = "rbac.authorization.k8s.io"
_COUNTS_UNAVAILABLE: Final = 37
"""The minor version from which MaxUnavailableStatefulSet is on."""
_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


class _Defaults(NamedTuple):
    """The tables: type -> its fields."""

    values: Mapping[str, dict[str, Any]]
    zero: Mapping[str, frozenset[str]]
    """Fields that are gone when they are false, 0 or an empty text."""
    structs: Mapping[str, frozenset[str]]
    """Fields that are always there, as an empty map."""


@cache
def _defaults() -> _Defaults:
    found = json.loads(_TABLE.read_text(encoding="utf-8"))
    words = [{name: frozenset(text.split()) for name, text in found[key].items()} for key in ("zero", "structs")]
    return _Defaults(found["values"], *words)


def admitted(api: KubeApi, value: dict[str, Any], namespace: str = "") -> dict[str, Any]:
    """The object as admission sees it when it is created.

    Args:
        api: the kinds and their schemas.
        value: the object as it is applied.
        namespace: where it is created; empty for an object without namespace.
    """
    group, _, version = text_at(value, "apiVersion").rpartition("/")
    kind = text_at(value, "kind")
    node = api.node(group, version, kind)
    if isinstance(node, SchemaNode):
        made = defaulted(node.schema, copy.deepcopy(value))
    elif node is not None and api.is_built_in(group, kind):
        made = _decoded(node, value)
        _special(kind, made)
        _of_group(group, kind, made, int(api.version.partition(".")[2]))
        if group == _RBAC and value.get("rules") == []:
            made["rules"] = []
    else:
        made = copy.deepcopy(value)
    metadata = {key: item for key, item in map_at(made, "metadata").items() if item or item == 0}
    if namespace:
        metadata.setdefault("namespace", namespace)
    metadata |= {
        "uid": UnknownError("the server makes up `metadata.uid`", "string"),
        "creationTimestamp": UnknownError("the server writes `metadata.creationTimestamp`", "string"),
    }
    for gone in ("resourceVersion", "managedFields", "selfLink", "deletionTimestamp", "generation"):
        metadata.pop(gone, None)
    if kind in _GENERATED or isinstance(node, SchemaNode):
        metadata["generation"] = 1
    return {**made, "metadata": metadata}


def _of_group(group: str, kind: str, made: dict[str, Any], release: int) -> None:
    """Claims of a StatefulSet are whole objects, and from 1.37 on it says how many pods may be away.

    Source: pkg/apis/apps/v1/defaults.go (MaxUnavailableStatefulSet) and pkg/apis/core/v1/defaults.go.
    """
    if (group, kind) != ("apps", "StatefulSet"):
        return
    for _, claim in maps_at(made, "spec", "volumeClaimTemplates"):
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}
    rolling = map_at(made, "spec", "updateStrategy").get("rollingUpdate")
    if release >= _COUNTS_UNAVAILABLE and isinstance(rolling, dict):
        rolling.setdefault("maxUnavailable", 1)


# ---- decoding: what is empty is gone, what has a default is there


def _decoded(node: Node, value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _value(node, value)
    if "status" in node.fields:
        found["status"] = copy.deepcopy(_STATUS.get(text_at(value, "kind"), {}))
    return found


def _value(node: Node | None, value: Any) -> Any:
    if node is None:
        return copy.deepcopy(value)
    if isinstance(value, list):
        return [_value(node.items, item) for item in value]
    if not isinstance(value, dict):
        return value
    if not node.fields:
        return {key: _entry(node.child(key), item) for key, item in value.items() if item is not None}
    tables = _defaults()
    name = node.name.removeprefix(TYPE_PREFIX)
    zero = tables.zero.get(name, frozenset())
    found: dict[str, Any] = {}
    for key, item in value.items():
        child = node.child(key)
        if _is_nothing(child, item) or (key in zero and not item):
            continue
        found[key] = _value(child, item)
    for key, default in tables.values.get(name, {}).items():
        if key not in found:
            found[key] = copy.deepcopy(default)
            if isinstance(default, dict):
                found[key] = _value(node.child(key), found[key])
    for key in tables.structs.get(name, ()):
        if key not in found and key in node.fields:
            found[key] = _value(node.child(key), {})
    if name in {"core.v1.PodTemplateSpec", "batch.v1.JobTemplateSpec"}:
        found.setdefault("metadata", {})
    return _typed(name, found)


def _is_nothing(node: Node | None, value: Any) -> bool:
    """Tell whether a value is left out: null, an empty list, or an empty map of names."""
    if value == {}:
        return node is not None and node.type == "map" and not node.fields and node.is_open
    return value is None or value == []


def _entry(node: Node | None, value: Any) -> Any:
    """A value of a free map; amounts of resources are written in their shortest form."""
    if node is not None and node.type == "quantity":
        return canonical(value)
    return _value(node, value)


def _typed(name: str, value: dict[str, Any]) -> dict[str, Any]:
    change = _BY_TYPE.get(name)
    if change is not None:
        change(value)
    return value


# ---- amounts

_DECIMAL: Final = (("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3))
_BINARY: Final = (("Ei", 6), ("Pi", 5), ("Ti", 4), ("Gi", 3), ("Mi", 2), ("Ki", 1))


def canonical(value: Any) -> Any:
    """An amount of a resource as the server writes it; anything else stays as it is.

    Source: pkg/api/resource/quantity.go of k8s.io/apimachinery, `CanonicalizeBytes`, after rounding up to thousandths.
    """
    amount = quantity(value)
    if amount is None:
        return value
    text = str(value)
    amount = _up(amount)
    if not amount:
        return "0"
    if text.endswith("i") and abs(amount) >= 1024:
        whole = Fraction(_whole(amount))
        for suffix, power in _BINARY:
            if (whole / 1024**power).denominator == 1:
                return f"{whole / 1024**power}{suffix}"
        return f"{whole}"
    exponent = "e" if "e" in text.lower() and not text.endswith("E") else ""
    for suffix, power in _DECIMAL:
        part = amount / Fraction(10) ** power
        if part.denominator == 1:
            return f"{part}{f'e{power}' if power else ''}" if exponent else f"{part}{suffix}"
    return value


def _up(amount: Fraction) -> Fraction:
    thousandths = abs(amount) * 1000
    up = -(-thousandths.numerator // thousandths.denominator)
    return Fraction(up if amount >= 0 else -up, 1000)


def _whole(amount: Fraction) -> int:
    return -(-amount.numerator // amount.denominator)


# ---- defaults that look at other fields


def _tag(image: str) -> str:
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2] or ("" if "@" in image else "latest")


def _pull_policy(image: str) -> str:
    return "Always" if _tag(image) == "latest" else "IfNotPresent"


def _container(value: dict[str, Any]) -> None:
    value.setdefault("imagePullPolicy", _pull_policy(text_at(value, "image")))


def _volume(value: dict[str, Any]) -> None:
    if set(value) <= {"name"}:
        value["emptyDir"] = {}
    image = value.get("image")
    if isinstance(image, dict):
        image.setdefault("pullPolicy", _pull_policy(text_at(image, "reference")))


def _pod_spec(value: dict[str, Any]) -> None:
    account = value.get("serviceAccountName") or value.get("serviceAccount")
    if account:
        value["serviceAccountName"] = value["serviceAccount"] = account


def _rolling(defaults: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        if value.get("type") == "RollingUpdate":
            value["rollingUpdate"] = {**defaults, **map_at(value, "rollingUpdate")}

    return change


def _set_strategy(value: dict[str, Any]) -> None:
    if "type" not in value:
        value["type"] = "RollingUpdate"
        value.setdefault("rollingUpdate", {})
    rolling = value.get("rollingUpdate")
    if value["type"] == "RollingUpdate" and isinstance(rolling, dict):
        rolling.setdefault("partition", 0)


def _service_port(value: dict[str, Any]) -> None:
    if not value.get("targetPort") and "port" in value:
        value["targetPort"] = value["port"]


def _service(value: dict[str, Any]) -> None:
    kind = value.get("type")
    if value.get("sessionAffinity") == "ClientIP":
        if at(value, "sessionAffinityConfig", "clientIP", "timeoutSeconds") is None:
            value["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    else:
        value.pop("sessionAffinityConfig", None)
    if kind in {"NodePort", "LoadBalancer"} or (kind == "ClusterIP" and value.get("externalIPs")):
        value.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        value.setdefault("allocateLoadBalancerNodePorts", True)
    if kind == "ExternalName":
        return
    value.setdefault("internalTrafficPolicy", "Cluster")
    address = UnknownError("the server gives the Service its address", "string")
    if "clusterIP" not in value:
        value["clusterIP"] = address
    value.setdefault("clusterIPs", [value["clusterIP"]])
    value.setdefault("ipFamilyPolicy", "SingleStack")
    value.setdefault("ipFamilies", [UnknownError("the cluster decides on IPv4 or IPv6", "string")])
    if kind in {"NodePort", "LoadBalancer"} and value.get("allocateLoadBalancerNodePorts", True):
        for _, port in maps_at(value, "ports"):
            port.setdefault("nodePort", UnknownError("the server gives the Service its node ports", "int"))


def _network_policy(value: dict[str, Any]) -> None:
    if not value.get("policyTypes"):
        value["policyTypes"] = ["Ingress", *(["Egress"] if value.get("egress") else [])]


def _subject(value: dict[str, Any]) -> None:
    if not value.get("apiGroup") and value.get("kind") in {"User", "Group"}:
        value["apiGroup"] = "rbac.authorization.k8s.io"


def _behavior(value: dict[str, Any]) -> None:
    ways: dict[str, dict[str, Any]] = {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ],
        },
        "scaleDown": {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]},
    }
    for way, defaults in ways.items():
        value[way] = {**defaults, **map_at(value, way)}


_BY_TYPE: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "core.v1.Container": _container,
    "core.v1.EphemeralContainer": _container,
    "core.v1.Volume": _volume,
    "core.v1.PodSpec": _pod_spec,
    "core.v1.ServiceSpec": _service,
    "core.v1.ServicePort": _service_port,
    "apps.v1.DeploymentStrategy": _rolling({"maxUnavailable": "25%", "maxSurge": "25%"}),
    "apps.v1.DaemonSetUpdateStrategy": _rolling({"maxUnavailable": 1, "maxSurge": 0}),
    "apps.v1.StatefulSetUpdateStrategy": _set_strategy,
    "networking.v1.NetworkPolicySpec": _network_policy,
    "rbac.v1.Subject": _subject,
    "autoscaling.v2.HorizontalPodAutoscalerBehavior": _behavior,
}


def _special(kind: str, value: dict[str, Any]) -> None:
    """What the server does to an object of a kind as a whole."""
    change = _BY_KIND.get(kind)
    if change is not None:
        change(value)


def _pod(value: dict[str, Any]) -> None:
    spec = map_at(value, "spec")
    spec.setdefault("enableServiceLinks", True)
    for field in ("containers", "initContainers"):
        for _, container in maps_at(spec, field):
            limits = map_at(container, "resources", "limits")
            if limits:
                resources = container["resources"]
                resources["requests"] = {**limits, **map_at(resources, "requests")}
            for _, port in maps_at(container, "ports") if spec.get("hostNetwork") else ():
                port.setdefault("hostPort", port.get("containerPort"))
    _account(spec)
    if not spec.get("priorityClassName"):
        spec.setdefault("priority", 0)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerated = [
        toleration.get("key") or ""
        for _, toleration in maps_at(spec, "tolerations")
        if toleration.get("effect") in {None, "", "NoExecute"}
    ]
    added = [
        {"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}
        for key in _TOLERATIONS
        if key not in tolerated and "" not in tolerated
    ]
    spec["tolerations"] = [*list_at(spec, "tolerations"), *added]


def _account(spec: dict[str, Any]) -> None:
    """The service account of a pod, and the volume with its token."""
    spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = spec["serviceAccountName"]
    if spec.get("automountServiceAccountToken") is False:
        return
    name = UnknownError("the server makes up the name of the volume with the token", "string")
    mount = {"name": name, "mountPath": _ACCOUNT, "readOnly": True}
    containers = [item for field in ("containers", "initContainers") for _, item in maps_at(spec, field)]
    without = [
        item
        for item in containers
        if _ACCOUNT not in [mounted.get("mountPath") for _, mounted in maps_at(item, "volumeMounts")]
    ]
    for item in without:
        item["volumeMounts"] = [*list_at(item, "volumeMounts"), dict(mount)]
    if without:
        reference = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
        sources = [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": reference}]}},
        ]
        volume = {"name": name, "projected": {"defaultMode": 420, "sources": sources}}
        spec["volumes"] = [*list_at(spec, "volumes"), volume]


def _job(value: dict[str, Any]) -> None:
    spec = map_at(value, "spec")
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 2147483647 if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    labels = map_at(spec, "template", "metadata", "labels")
    if labels and not map_at(value, "metadata", "labels"):
        value["metadata"] = {**map_at(value, "metadata"), "labels": dict(labels)}


def _secret(value: dict[str, Any]) -> None:
    given = value.pop("stringData", None)
    if isinstance(given, dict):
        made = {key: base64.b64encode(str(item).encode()).decode() for key, item in given.items()}
        value["data"] = {**map_at(value, "data"), **made}


def _namespace(value: dict[str, Any]) -> None:
    metadata = map_at(value, "metadata")
    name = text_at(metadata, "name")
    value["metadata"] = {**metadata, "labels": {**map_at(metadata, "labels"), "kubernetes.io/metadata.name": name}}
    value["spec"] = {"finalizers": ["kubernetes"], **map_at(value, "spec")}


_BY_KIND: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "Pod": _pod,
    "Job": _job,
    "Secret": _secret,
    "Namespace": _namespace,
}
