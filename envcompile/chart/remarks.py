"""Says what a user should know about resources that Helm treats in ways of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.chart.workloads import as_map, down

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_NAMED: Final = 3
_OLD_VERSIONS: Final = frozenset({
    "extensions/v1beta1",
    "apps/v1beta1",
    "apps/v1beta2",
    "batch/v1beta1",
    "batch/v2alpha1",
    "policy/v1beta1",
    "storage.k8s.io/v1beta1",
    "networking.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "autoscaling/v2beta1",
    "autoscaling/v2beta2",
    "apiextensions.k8s.io/v1beta1",
    "admissionregistration.k8s.io/v1beta1",
    "scheduling.k8s.io/v1beta1",
    "certificates.k8s.io/v1beta1",
    "coordination.k8s.io/v1beta1",
    "discovery.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
})
_OLD_KINDS: Final = frozenset({("v1", "Endpoints"), ("v1", "ComponentStatus")})
_WITH_SELECTOR: Final = frozenset({"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"})


def _title(resource: dict[str, Any]) -> str:
    metadata = as_map(resource.get("metadata"))
    return f"{resource['kind']}/{metadata.get('name') or metadata.get('generateName')}"


def _listed(titles: Sequence[str]) -> str:
    if len(titles) <= _MOST_NAMED:
        return ", ".join(titles)
    return f"{', '.join(titles[:_MOST_NAMED])} and {len(titles) - _MOST_NAMED} more"


class Oddity(NamedTuple):
    """What of one resource Helm treats in a way of its own."""

    title: str
    is_generated: bool
    is_hook: bool
    is_old: bool
    is_loose: bool


def oddity_of(resource: dict[str, Any]) -> Oddity:
    """What there is to say of one resource."""
    metadata = as_map(resource.get("metadata"))
    version, kind = resource.get("apiVersion"), resource["kind"]
    return Oddity(
        _title(resource),
        metadata.get("name") is None,
        any(key.startswith("helm.sh/hook") for key in as_map(metadata.get("annotations"))),
        version in _OLD_VERSIONS or (version, kind) in _OLD_KINDS,
        kind in _WITH_SELECTOR and not down(resource, ("spec", "selector")),
    )


def remarks(oddities: Sequence[Oddity]) -> list[str]:
    """What Helm does with some of the resources that people would not expect, one sentence each."""
    generated = [oddity.title for oddity in oddities if oddity.is_generated]
    hooks = [oddity.title for oddity in oddities if oddity.is_hook]
    old = [oddity.title for oddity in oddities if oddity.is_old]
    loose = [oddity.title for oddity in oddities if oddity.is_loose]
    found = []
    if generated:
        found.append(
            f"{_listed(sorted(generated))}: Helm prints objects with a generateName, but cannot install or upgrade "
            "them, and `helm lint --strict` warns of their empty name",
        )
    if hooks:
        found.append(f"{_listed(sorted(hooks))}: the annotation helm.sh/hook makes Helm run these apart from a release")
    if old:
        found.append(f"{_listed(sorted(old))}: `helm lint --strict` warns of their old API version")
    if loose:
        found.append(f"{_listed(sorted(loose))}: `helm lint` refuses a workload without a selector")
    return found
