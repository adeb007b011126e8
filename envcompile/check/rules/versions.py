"""API versions that a cluster no longer serves, or will not for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.check.rules.podsecurity import minor_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import Scene
    from envcompile.model import Resource


class Passing(NamedTuple):
    """Until when Kubernetes serves a version, and what to write instead."""

    deprecated: int
    removed: int | None
    instead: str


_WORKLOADS: Final = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "ControllerRevision")
_RBAC_KINDS: Final = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_FLOWS: Final = ("FlowSchema", "PriorityLevelConfiguration")

_PASSING: Final[Mapping[tuple[str, str], Passing]] = {
    **{("extensions/v1beta1", kind): Passing(9, 16, "apps/v1") for kind in _WORKLOADS},
    **{
        (f"apps/{version}", kind): Passing(9, 16, "apps/v1")
        for version in ("v1beta1", "v1beta2")
        for kind in _WORKLOADS
    },
    ("extensions/v1beta1", "NetworkPolicy"): Passing(9, 16, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "PodSecurityPolicy"): Passing(11, 16, ""),
    ("extensions/v1beta1", "Ingress"): Passing(14, 22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "Ingress"): Passing(19, 22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IngressClass"): Passing(19, 22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IPAddress"): Passing(34, 37, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "ServiceCIDR"): Passing(34, 37, "networking.k8s.io/v1"),
    **{
        ("rbac.authorization.k8s.io/v1alpha1", kind): Passing(17, 22, "rbac.authorization.k8s.io/v1")
        for kind in _RBAC_KINDS
    },
    **{
        ("rbac.authorization.k8s.io/v1beta1", kind): Passing(17, 22, "rbac.authorization.k8s.io/v1")
        for kind in _RBAC_KINDS
    },
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"): Passing(
        16, 22, "admissionregistration.k8s.io/v1"
    ),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"): Passing(
        16, 22, "admissionregistration.k8s.io/v1"
    ),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy"): Passing(
        30, 34, "admissionregistration.k8s.io/v1"
    ),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicyBinding"): Passing(
        30, 34, "admissionregistration.k8s.io/v1"
    ),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"): Passing(16, 22, "apiextensions.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", "APIService"): Passing(19, 22, "apiregistration.k8s.io/v1"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"): Passing(19, 22, "certificates.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", "Lease"): Passing(19, 22, "coordination.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"): Passing(14, 22, "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIDriver"): Passing(19, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSINode"): Passing(17, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "StorageClass"): Passing(19, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "VolumeAttachment"): Passing(19, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity"): Passing(24, 27, "storage.k8s.io/v1"),
    ("batch/v1beta1", "CronJob"): Passing(21, 25, "batch/v1"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"): Passing(21, 25, "discovery.k8s.io/v1"),
    ("events.k8s.io/v1beta1", "Event"): Passing(19, 25, "events.k8s.io/v1"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): Passing(22, 25, "autoscaling/v2"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): Passing(23, 26, "autoscaling/v2"),
    ("policy/v1beta1", "PodDisruptionBudget"): Passing(21, 25, "policy/v1"),
    ("policy/v1beta1", "PodSecurityPolicy"): Passing(21, 25, ""),
    ("node.k8s.io/v1beta1", "RuntimeClass"): Passing(22, 25, "node.k8s.io/v1"),
    **{
        ("flowcontrol.apiserver.k8s.io/v1beta1", kind): Passing(23, 26, "flowcontrol.apiserver.k8s.io/v1")
        for kind in _FLOWS
    },
    **{
        ("flowcontrol.apiserver.k8s.io/v1beta2", kind): Passing(26, 29, "flowcontrol.apiserver.k8s.io/v1")
        for kind in _FLOWS
    },
    **{
        ("flowcontrol.apiserver.k8s.io/v1beta3", kind): Passing(29, 32, "flowcontrol.apiserver.k8s.io/v1")
        for kind in _FLOWS
    },
    ("v1", "ComponentStatus"): Passing(19, None, ""),
    ("v1", "Endpoints"): Passing(33, None, "discovery.k8s.io/v1, kind EndpointSlice"),
}
"""Source: kubernetes.io, Deprecated API Migration Guide; for 1.33 and later the release notes."""

_MOVED: Final[Mapping[str, str]] = {
    "certmanager.k8s.io/v1alpha1": "cert-manager.io/v1",
    "keda.k8s.io/v1alpha1": "keda.sh/v1alpha1",
    "traefik.containo.us/v1alpha1": "traefik.io/v1alpha1",
    "kubernetes-client.io/v1": "external-secrets.io/v1",
}
"""Groups that current releases of operators do not serve -> what they serve.

Source: the upgrade notes of External Secrets Operator 0.17, cert-manager 0.11, KEDA 2.0 and Traefik 3.0.
"""


def _passing(resource: Resource) -> tuple[str, Passing | None]:
    version = text_at(resource.value, "apiVersion")
    return version, _PASSING.get((version, resource.id.kind))


def _removed(scene: Scene) -> Iterator[Hit]:
    minor = minor_of(scene.api.version)
    for resource in scene.resources:
        version, passing = _passing(resource)
        if passing is not None and passing.removed is not None and passing.removed <= minor:
            gone = f"gone since 1.{passing.removed}"
            what = f"Kubernetes {scene.api.version} does not serve {resource.id.kind} as `{version}` ({gone})"
            fix = f"write `apiVersion: {passing.instead}` with its fields" if passing.instead else "take it out"
            yield Hit(resource.id, ("apiVersion",), what, fix)
        elif version in _MOVED:
            what = f"current releases of the operator do not serve `{version}`"
            yield Hit(resource.id, ("apiVersion",), what, f"write `apiVersion: {_MOVED[version]}`", "warning")
        elif scene.api.project(*resource.id[:2]):
            yield from _unserved(scene, resource)


def _unserved(scene: Scene, resource: Resource) -> Iterator[Hit]:
    """A version that an operator's definition lacks, or says to be gone."""
    group, kind = resource.id[:2]
    custom = scene.api.custom(group, kind)
    version = text_at(resource.value, "apiVersion")
    name = version.rpartition("/")[2]
    if custom is None or name in custom.versions or not custom.versions:
        return
    said = "no longer serves" if name in custom.gone else "does not serve"
    fix = f"write `apiVersion: {group}/{next(iter(custom.versions))}` with its fields"
    yield Hit(resource.id, ("apiVersion",), f"{custom.project} {said} {kind} as `{version}`", fix, "warning")


def _deprecated(scene: Scene) -> Iterator[Hit]:
    minor = minor_of(scene.api.version)
    for resource in scene.resources:
        version, passing = _passing(resource)
        custom = scene.api.custom(*resource.id[:2])
        if custom is not None and version.rpartition("/")[2] in custom.deprecated:
            who = custom.project or "its CustomResourceDefinition"
            what = f"{resource.id.kind} as `{version}` is deprecated ({who})"
            better = [name for name in custom.versions if name not in custom.deprecated]
            fix = (
                f"write `apiVersion: {resource.id.group}/{better[0]}`" if better else "see what takes the kind's place"
            )
            yield Hit(resource.id, ("apiVersion",), what, fix)
        if passing is None or passing.deprecated > minor or (passing.removed is not None and passing.removed <= minor):
            continue
        until = f" and goes with 1.{passing.removed}" if passing.removed else ""
        what = f"{resource.id.kind} as `{version}` is deprecated since Kubernetes 1.{passing.deprecated}{until}"
        fix = f"write `apiVersion: {passing.instead}`" if passing.instead else "take it out"
        # The next version does not serve it any more: that is the time to act.
        is_next = passing.removed is not None and passing.removed <= minor + 1
        yield Hit(resource.id, ("apiVersion",), what, fix, "warning" if is_next else None)


RULES: Final = (
    Rule(
        "api-removed",
        "error",
        "The environment's Kubernetes version serves the apiVersion of every resource.",
        "kubernetes.io, Deprecated API Migration Guide; Pluto, kube-score; the operators' own definitions",
        _removed,
        alone=True,
    ),
    Rule(
        "api-deprecated",
        "info",
        "No resource uses an apiVersion that is to go.",
        "kubernetes.io, Deprecated API Migration Guide; Pluto, Popeye POP-403",
        _deprecated,
        alone=True,
    ),
)
