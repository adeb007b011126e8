"""What the API server's own validation asks for and OpenAPI does not say.

Only what is refused at creation whatever the cluster holds. Paths of sources are relative to kubernetes/kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envcompile.model import Pointer

Demand = tuple["Pointer", str]

_POD_TEMPLATES: Final[Mapping[tuple[str, str], Pointer]] = {
    ("", "Pod"): ("spec",),
    ("", "PodTemplate"): ("template", "spec"),
    ("", "ReplicationController"): ("spec", "template", "spec"),
    ("apps", "DaemonSet"): ("spec", "template", "spec"),
    ("apps", "Deployment"): ("spec", "template", "spec"),
    ("apps", "ReplicaSet"): ("spec", "template", "spec"),
    ("apps", "StatefulSet"): ("spec", "template", "spec"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch", "Job"): ("spec", "template", "spec"),
}
"""Where the pod spec of each workload is."""

_FILLED: Final[Mapping[tuple[str, str], tuple[Pointer, ...]]] = {
    # pkg/apis/core/validation/validation.go: ValidatePersistentVolumeClaimSpec, ValidatePersistentVolumeSpec
    ("", "PersistentVolume"): (("spec", "accessModes"), ("spec", "capacity")),
    ("", "PersistentVolumeClaim"): (("spec", "accessModes"), ("spec", "resources", "requests", "storage")),
    # pkg/apis/apps/validation/validation.go: ValidateDaemonSetSpec, ValidateDeploymentSpec, ValidateReplicaSetSpec,
    # ValidateStatefulSetSpec: a selector must be there and select something
    ("apps", "DaemonSet"): (("spec", "selector"), ("spec", "template")),
    ("apps", "Deployment"): (("spec", "selector"), ("spec", "template")),
    ("apps", "ReplicaSet"): (("spec", "selector"), ("spec", "template")),
    ("apps", "StatefulSet"): (("spec", "selector"), ("spec", "template")),
    # pkg/apis/autoscaling/validation/validation.go: validateHorizontalPodAutoscalerSpec,
    # ValidateCrossVersionObjectReference
    ("autoscaling", "HorizontalPodAutoscaler"): (
        ("spec", "maxReplicas"),
        ("spec", "scaleTargetRef", "kind"),
        ("spec", "scaleTargetRef", "name"),
    ),
    # pkg/apis/batch/validation/validation.go: validateCronJobSpec
    ("batch", "CronJob"): (("spec", "schedule"),),
    # pkg/apis/rbac/validation/validation.go: ValidateRoleBinding, ValidateClusterRoleBinding
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (("roleRef", "name"),),
    ("rbac.authorization.k8s.io", "RoleBinding"): (("roleRef", "name"),),
    # pkg/apis/storage/validation/validation.go: ValidateStorageClass
    ("storage.k8s.io", "StorageClass"): (("provisioner",),),
}
"""Fields that must be there and not be empty."""


def has_demands(group: str, kind: str) -> bool:
    """Tell whether anything is demanded of the resources of a kind."""
    key = (group, kind)
    return key in _FILLED or key in _SPECIAL or key in _POD_TEMPLATES


def demands(group: str, kind: str, value: Mapping[str, Any]) -> Iterator[Demand]:
    """List what validation would refuse about a resource, as (pointer, what)."""
    key = (group, kind)
    for pointer in _FILLED.get(key, ()):
        if not _at(value, pointer):
            yield pointer, f"`{'.'.join(map(str, pointer))}` is missing or empty"
    special = _SPECIAL.get(key)
    if special is not None:
        yield from special(value)
    pod = _POD_TEMPLATES.get(key)
    if pod is not None:
        yield from _pod(value, pod)


def _at(value: Any, pointer: Pointer) -> Any:
    """Read the value at a pointer of map keys; None when the way ends before."""
    for key in pointer:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _service(value: Mapping[str, Any]) -> Iterator[Demand]:
    """Ports, unless the Service is headless or a name.

    Source: pkg/apis/core/validation/validation.go, ValidateService.
    """
    spec = _at(value, ("spec",)) or {}
    if not isinstance(spec, dict):
        return
    if spec.get("type") == "ExternalName":
        if not spec.get("externalName"):
            yield ("spec", "externalName"), "`spec.externalName` is missing: the Service is of type ExternalName"
    elif not spec.get("ports") and spec.get("clusterIP") != "None":
        yield ("spec", "ports"), "`spec.ports` is missing or empty: only a headless Service has none"


def _ingress(value: Mapping[str, Any]) -> Iterator[Demand]:
    """Rules or a default backend; source: pkg/apis/networking/validation/validation.go, ValidateIngressSpec."""
    spec = _at(value, ("spec",))
    if not isinstance(spec, dict) or (not spec.get("rules") and not spec.get("defaultBackend")):
        yield ("spec", "rules"), "either `spec.rules` or `spec.defaultBackend` must be there"


def _job(value: Mapping[str, Any], template: Pointer = ("spec", "template")) -> Iterator[Demand]:
    """A restart policy that ends; source: pkg/apis/batch/validation/validation.go, validateJobSpec."""
    pointer = (*template, "spec", "restartPolicy")
    if isinstance(_at(value, pointer[:-1]), dict) and str(_at(value, pointer)) not in {"Never", "OnFailure"}:
        yield pointer, "`restartPolicy` of a Job must be Never or OnFailure"


def _cron_job(value: Mapping[str, Any]) -> Iterator[Demand]:
    """As a Job; source: pkg/apis/batch/validation/validation.go, ValidateJobTemplateSpec."""
    return _job(value, ("spec", "jobTemplate", "spec", "template"))


def _role(value: Mapping[str, Any]) -> Iterator[Demand]:
    """What each rule is about; source: pkg/apis/rbac/validation/validation.go, ValidatePolicyRule."""
    rules = value.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, dict):
            continue
        if not rule.get("verbs"):
            yield ("rules", index, "verbs"), "`verbs` of the rule is missing or empty"
        if rule.get("nonResourceURLs"):
            continue
        for key in ("apiGroups", "resources"):
            if not rule.get(key):
                yield ("rules", index, key), f"`{key}` of the rule is missing or empty"


def _pod(value: Mapping[str, Any], pointer: Pointer) -> Iterator[Demand]:
    """Containers, each with an image.

    Source: pkg/apis/core/validation/validation.go, validateContainers, validateContainerCommon and
    validateInitContainers.
    """
    spec = _at(value, pointer)
    if not isinstance(spec, dict) or not spec.get("containers"):
        yield (*pointer, "containers"), f"`{'.'.join(map(str, pointer))}.containers` is missing or empty"
        return
    for field in ("initContainers", "containers"):
        containers = spec.get(field)
        for index, container in enumerate(containers if isinstance(containers, list) else ()):
            if isinstance(container, dict) and not container.get("image"):
                name = container.get("name")
                which = f"container `{name}`" if isinstance(name, str) and name else f"item {index} of `{field}`"
                yield (*pointer, field, index, "image"), f"`image` of {which} is missing or empty"


_SPECIAL: Final[Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Iterator[Demand]]]] = {
    ("", "Service"): _service,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("rbac.authorization.k8s.io", "Role"): _role,
    ("rbac.authorization.k8s.io", "ClusterRole"): _role,
}
"""Demands that are more than a field to fill."""
