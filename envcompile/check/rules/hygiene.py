"""Names, labels, sizes, and fields that have had their day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, strings_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.rules.ingress import CLASS_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Pods
    from envcompile.model import Pointer, ResourceId

_LABEL_VALUE: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)
_LEFT_OVER: Final = re.compile(
    r"\{\{.*?\}\}|\$\{\{?[^}]*\}|\bREPLACE[_-]?ME\b|\bCHANGE[_-]?ME\b|<no value>|<none>", re.IGNORECASE
)

_LONGEST: Final[Mapping[tuple[str, str], int]] = {
    ("", "Namespace"): 63,
    ("", "Service"): 63,
    ("batch", "CronJob"): 52,
    ("batch", "Job"): 63,
    ("apps", "StatefulSet"): 52,
}
"""Kind -> the longest name that works; a CronJob's Jobs add 11 characters, a StatefulSet's revisions 11 as well.

Source: kubernetes.io, Object Names; pkg/apis/batch/validation: ValidateCronJobName; kubernetes/kubernetes#64023.
"""

_MOST: Final = 1024 * 1024
_LAST_APPLIED: Final = 256 * 1024
_OLD_LABELS: Final[Mapping[str, str]] = {
    "node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""Labels and taints of nodes that are gone or going -> theirs now (kubernetes.io, Well-Known Labels)."""


def _labels(scene: Scene) -> Iterator[Hit]:
    for resource in scene.resources:
        yield from _label_map(resource.id, ("metadata", "labels"), map_at(resource.value, "metadata", "labels"))
        name = resource.id.name
        if _LEFT_OVER.search(name):
            what = f"the name `{name}` holds what a template should have filled in"
            yield Hit(resource.id, ("metadata", "name"), what, "fill it in")
    for pods in scene.pods:
        if pods.pointer:
            pointer = (*pods.pointer, "metadata", "labels")
            yield from _label_map(pods.resource.id, pointer, map_at(pods.template, "metadata", "labels"))
        for container in pods.containers:
            image = text_at(container.value, "image")
            if _LEFT_OVER.search(image):
                what = f"the image of container `{container.name}` holds what a template should have filled in"
                yield Hit(pods.resource.id, (*container.pointer, "image"), what, "fill it in")


def _label_map(identity: ResourceId, pointer: Pointer, labels: Mapping[str, object]) -> Iterator[Hit]:
    for key, value in labels.items():
        if not isinstance(value, str):
            continue
        if _LEFT_OVER.search(value):
            what, fix = f"the label {key} holds what a template should have filled in", "fill it in"
        elif _LABEL_VALUE.fullmatch(value) is None:
            what = f"the value of the label {key} is none that the API server takes"
            fix = "write at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
        elif _LABEL_KEY.fullmatch(key) is None:
            what = f"`{key}` is no name of a label"
            fix = "write `prefix/name` or `name` of letters, digits, `-`, `_` and `.`"
        else:
            continue
        yield Hit(identity, (*pointer, key), what, fix)


def _names(scene: Scene) -> Iterator[Hit]:
    for resource in scene.resources:
        most = _LONGEST.get((resource.id.group, resource.id.kind))
        if most is not None and len(resource.id.name) > most:
            what = f"the name has {len(resource.id.name)} characters; a {resource.id.kind} has room for {most}"
            yield Hit(resource.id, ("metadata", "name"), what, "write a shorter name")
    for pods in scene.pods:
        for container, position, port in pods.ports():
            name = text_at(port, "name")
            if len(name) > 15:
                what = f"the port name `{name}` has {len(name)} characters; there is room for 15"
                yield Hit(
                    pods.resource.id, (*container.pointer, "ports", position, "name"), what, "write a shorter name"
                )


def _sizes(scene: Scene) -> Iterator[Hit]:
    for config in scene.of_kind("", "ConfigMap", "Secret"):
        data = {**map_at(config.value, "data"), **map_at(config.value, "binaryData")}
        size = sum(len(key) + len(text.encode()) for key, text in data.items() if isinstance(text, str))
        if size > _MOST:
            what = f"it holds {size // 1024} KiB, and the API server takes 1024"
            yield Hit(config.id, ("data",), what, "split it, or mount a volume")
        elif size > _LAST_APPLIED:
            what = f"it holds {size // 1024} KiB: a client-side `kubectl apply` fails above 256"
            yield Hit(
                config.id,
                ("data",),
                what,
                "apply server-side (Argo CD: `ServerSideApply=true`), or split it",
                "warning",
            )


def _old_fields(scene: Scene) -> Iterator[Hit]:
    for ingress in scene.of_kind("networking.k8s.io", "Ingress"):
        if CLASS_ANNOTATION in strings_at(ingress.value, "metadata", "annotations"):
            what = f"the annotation `{CLASS_ANNOTATION}` is deprecated since Kubernetes 1.18"
            fix = "write `spec.ingressClassName`"
            yield Hit(ingress.id, ("metadata", "annotations", CLASS_ANNOTATION), what, fix)
    for service in scene.of_kind("", "Service"):
        if text_at(service.value, "spec", "loadBalancerIP"):
            what = "`loadBalancerIP` is deprecated since Kubernetes 1.24: clouds read annotations of their own"
            yield Hit(service.id, ("spec", "loadBalancerIP"), what, "write the annotation of the load balancer's maker")
    for pods in scene.pods:
        yield from _old_pod_fields(pods)


def _old_pod_fields(pods: Pods) -> Iterator[Hit]:
    identity, base = pods.resource.id, pods.spec_pointer
    if "serviceAccount" in pods.spec and "serviceAccountName" not in pods.spec:
        what = "`serviceAccount` is the old name of `serviceAccountName`"
        yield Hit(identity, (*base, "serviceAccount"), what, "write `serviceAccountName`")
    for position, toleration in maps_at(pods.spec, "tolerations"):
        yield from _old_label(identity, (*base, "tolerations", position, "key"), text_at(toleration, "key"))
    for key in map_at(pods.spec, "nodeSelector"):
        yield from _old_label(identity, (*base, "nodeSelector", key), key)
    affinity = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    for position, term in maps_at(pods.spec, *affinity):
        for place, expression in maps_at(term, "matchExpressions"):
            pointer = (*base, *affinity, position, "matchExpressions", place, "key")
            yield from _old_label(identity, pointer, text_at(expression, "key"))
    for key in pods.annotations:
        if key.startswith(("seccomp.security.alpha.kubernetes.io/", "container.seccomp.security.alpha.kubernetes.io/")):
            what = f"the annotation `{key}` does nothing since Kubernetes 1.27"
            yield Hit(
                identity,
                (*pods.pointer, "metadata", "annotations", key),
                what,
                "write `securityContext.seccompProfile`",
            )


def _old_label(identity: ResourceId, pointer: Pointer, key: str) -> Iterator[Hit]:
    if key in _OLD_LABELS:
        what = f"nodes no longer have `{key}`"
        yield Hit(identity, pointer, what, f"write `{_OLD_LABELS[key]}`, or take it out")


RULES: Final = (
    Rule(
        "label-values",
        "error",
        "Names, labels and images are complete and such as the API server takes.",
        "kubernetes.io, Labels and Selectors: Syntax and character set; kube-score label-values",
        _labels,
        alone=True,
    ),
    Rule(
        "name-length",
        "error",
        "Names leave room for what is added to them.",
        "kubernetes.io, Object Names and IDs; kubernetes/kubernetes, pkg/apis/batch/validation",
        _names,
        alone=True,
    ),
    Rule(
        "configmap-size",
        "error",
        "A ConfigMap or Secret is small enough to be stored and applied.",
        "kubernetes.io, ConfigMaps: Motivation (1 MiB); Annotations: size limit of 256 KiB",
        _sizes,
        alone=True,
    ),
    Rule(
        "deprecated-field",
        "warning",
        "No field, annotation or node label is used that Kubernetes has replaced.",
        "kubernetes.io, Well-Known Labels; Ingress; kube-linter deprecated-service-account-field",
        _old_fields,
        alone=True,
    ),
)
