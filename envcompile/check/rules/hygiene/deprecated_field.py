"""The rule `deprecated-field`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.ingresses import CLASS_ANNOTATION
from envcompile.check.mend import Mend
from envcompile.check.reading import at, map_at, maps_at, strings_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Pods
    from envcompile.model import Pointer, Resource, ResourceId


_OLD_LABELS: Final[Mapping[str, str]] = {
    "node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""Labels and taints of nodes that are gone or going -> theirs now (kubernetes.io, Well-Known Labels).

The role's is gone with kubeadm 1.25; the kubelet still sets the others (pkg/kubelet/kubelet_node_status.go of 1.37).
"""


def _old_fields(inputs: CheckInput) -> Iterator[Hit]:
    for ingress in inputs.of_kind("networking.k8s.io", "Ingress"):
        if CLASS_ANNOTATION in strings_at(ingress.value, "metadata", "annotations"):
            what = f"the annotation `{CLASS_ANNOTATION}` is deprecated since Kubernetes 1.18"
            fix = "write `spec.ingressClassName`"
            yield Hit(ingress.id, ("metadata", "annotations", CLASS_ANNOTATION), what, fix)
    for service in inputs.of_kind("", "Service"):
        if text_at(service.value, "spec", "loadBalancerIP"):
            what = "`loadBalancerIP` is deprecated since Kubernetes 1.24: clouds read annotations of their own"
            yield Hit(service.id, ("spec", "loadBalancerIP"), what, "write the annotation of the load balancer's maker")
    for pods in inputs.pods:
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
        gone = key.startswith("node-role.")
        what = (
            f"nodes no longer have `{key}`" if gone else f"the node label `{key}` is deprecated since Kubernetes 1.17"
        )
        yield Hit(identity, pointer, what, f"write `{_OLD_LABELS[key]}`, or take it out")


def _mend(resource: Resource, hit: Hit) -> Iterator[Mend]:
    field, name = hit.pointer, str(hit.pointer[-1])
    if name == CLASS_ANNOTATION:
        known = text_at(resource.value, "spec", "ingressClassName")
        if known in {"", at(resource.value, *field)}:
            yield Mend(field, None if known else ("spec", "ingressClassName"))
    elif name == "serviceAccount":
        yield Mend(field, (*field[:-1], "serviceAccountName"))
    elif name == "key":
        new = _OLD_LABELS[str(at(resource.value, *field))]
        others = at(resource.value, *field[:-2])
        if not any(isinstance(other, dict) and other.get("key") == new for other in others):
            yield Mend(field, field, lambda key: _OLD_LABELS.get(key, key))
    elif name in _OLD_LABELS:
        if _OLD_LABELS[name] not in at(resource.value, *field[:-1]):
            yield Mend(field, (*field[:-1], _OLD_LABELS[name]))
    elif "seccomp" in name:
        yield from _profile(resource, field, name)


def _profile(resource: Resource, field: Pointer, name: str) -> Iterator[Mend]:
    spec: Pointer = (*field[:-3], "spec")
    holder: Pointer | None = spec
    if name.startswith("container."):
        containers = maps_at(resource.value, *spec, "containers")
        of = name.rpartition("/")[2]
        holder = next(((*spec, "containers", at) for at, one in containers if one.get("name") == of), None)
    if holder is not None and _seccomp(at(resource.value, *field)) is not None:
        there = map_at(resource.value, *holder, "securityContext", "seccompProfile")
        yield Mend(field, None if there else (*holder, "securityContext", "seccompProfile"), _seccomp)


def _seccomp(written: Any) -> Any:
    """The profile that an annotation meant (kubernetes.io, Well-Known Labels: seccomp); None for one of no form."""
    text = str(written)
    if text in {"runtime/default", "docker/default"}:
        return {"type": "RuntimeDefault"}
    if text == "unconfined":
        return {"type": "Unconfined"}
    if text.startswith("localhost/"):
        return {"type": "Localhost", "localhostProfile": text.removeprefix("localhost/")}
    return None


RULE: Final = Rule(
    "deprecated-field",
    "warning",
    "No field, annotation or node label is used that Kubernetes has replaced.",
    "kubernetes.io, Well-Known Labels; Ingress; kube-linter deprecated-service-account-field",
    _old_fields,
    mend=_mend,
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
