"""Knows where workloads keep their pods, and what pods refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.kubernetes.references import pod_references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_APPS = ("spec", "template")

POD_TEMPLATES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("apps", "Deployment"): _APPS,
    ("extensions", "Deployment"): _APPS,
    ("apps", "StatefulSet"): _APPS,
    ("apps", "DaemonSet"): _APPS,
    ("extensions", "DaemonSet"): _APPS,
    ("argoproj.io", "Rollout"): _APPS,
    ("apps", "ReplicaSet"): _APPS,
    ("extensions", "ReplicaSet"): _APPS,
    ("", "ReplicationController"): _APPS,
    ("serving.knative.dev", "Service"): _APPS,
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "Job"): _APPS,
    ("", "Pod"): (),
}
"""Where a kind keeps its pod template; the order says which of two workloads of one name speaks for the service."""

RANK: Final = {kind: number for number, kind in enumerate(POD_TEMPLATES)}

SCALED_KINDS: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})


class References(NamedTuple):
    """The names of what a pod uses, by kind."""

    config_maps: frozenset[str]
    secrets: frozenset[str]
    claims: frozenset[str]
    service_account: str


def as_map(value: Any) -> dict[str, Any]:
    """The value when it is a map, else an empty one: manifests in the wild hold anything."""
    return value if isinstance(value, dict) else {}


def as_maps(value: Any) -> list[dict[str, Any]]:
    """The maps among the items of a list; nothing for any other value."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def down(value: Any, steps: tuple[str, ...]) -> Any:
    """The value below a chain of keys; None when the chain breaks."""
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def pod_template(group: str, resource: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pod template of a workload, a map with `metadata` and `spec`; None for other kinds."""
    kind = resource.get("kind")
    steps = POD_TEMPLATES.get((group, kind)) if isinstance(kind, str) else None
    if steps is None:
        return None
    found = down(resource, steps)
    return found if isinstance(found, dict) else None


def containers(pod: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The containers of a pod's spec, then its init containers."""
    for key in ("containers", "initContainers"):
        yield from as_maps(pod.get(key))


def main_container(name: str, specs: list[dict[str, Any]]) -> str | None:
    """The container that speaks for its workload: the one of its name, else the first that all have."""
    everywhere = [[item.get("name") for item in as_maps(spec.get("containers"))] for spec in specs]
    shared = [label for label in everywhere[0] if all(label in other for other in everywhere)] if everywhere else []
    if name in shared:
        return name
    return next((label for label in shared if isinstance(label, str)), None)


def references(pod: Mapping[str, Any]) -> References:
    """What a pod's spec names: configuration, secrets, volume claims and the service account."""
    found = list(pod_references({"spec": pod}))

    def names(kind: str) -> frozenset[str]:
        return frozenset(one.name for one in found if one.kind == kind and one.use != "pull" and one.name)

    account = next((one.name for one in found if one.use == "account"), "")
    return References(names("ConfigMap"), names("Secret"), names("PersistentVolumeClaim"), account)
