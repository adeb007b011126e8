"""The rule `deprecated-field`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.ingresses import CLASS_ANNOTATION
from envcompile.check.reading import map_at, maps_at, strings_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Pods
    from envcompile.model import Pointer, ResourceId


_OLD_LABELS: Final[Mapping[str, str]] = {
    "node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""Labels and taints of nodes that are gone or going -> theirs now (kubernetes.io, Well-Known Labels)."""


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


RULE: Final = Rule(
    "deprecated-field",
    "warning",
    "No field, annotation or node label is used that Kubernetes has replaced.",
    "kubernetes.io, Well-Known Labels; Ingress; kube-linter deprecated-service-account-field",
    _old_fields,
    alone=True,
    why="Old fields are read today, and ignored one day without a word.",
    fix="Write the field that took its place.",
    links=("https://kubernetes.io/docs/reference/labels-annotations-taints/",),
    fires="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {kubernetes.io/ingress.class: nginx}}
spec:
  rules:
  - {}
""",
    silent="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  rules:
  - {}
""",
)
