"""Between which numbers of replicas a recommendation may be: disruption budgets, quotas, and availability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cost.counts import map_in, pods_of, scaler_of
from envcompile.kubernetes.podrequests import quantity, requested
from envcompile.kubernetes.podspecs import pod_template
from envcompile.scaling.search import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.cost.counts import Range
    from envcompile.model import Resource, ResourceId

_AVAILABLE: Final = 2
"""Two pods outlive the loss of one; fewer are recommended only when asked for."""
_NO_QUOTA: Final = 1000


def bounds_of(subject: Subject, scaling: Scaling, resources: Iterable[Resource], least: int | None) -> Bounds:
    """The bounds for a workload.

    Args:
        subject: the workload and its autoscaler.
        scaling: the same as simulations take it.
        resources: those of the environment.
        least: the fewest replicas that are asked for; None for what keeps it available.
    """
    known = list(resources)
    now = scaling.autoscaler.min_replicas if scaling.autoscaler is not None else scaling.workload.replicas
    kept = max((needed for _, needed in budgets(subject, known)), default=0)
    fewest = min(_AVAILABLE, max(now, 1)) if least is None else least
    most = min(_room(subject, scaling, known), default=_NO_QUOTA)
    return Bounds(min(max(fewest, kept + 1 if kept else 0), most), most)


def budgets(subject: Subject, resources: Iterable[Resource]) -> Iterator[tuple[Resource, int]]:
    """The PodDisruptionBudgets of a workload's pods with how many they keep; a share keeps what it leaves free."""
    labels = _labels(subject)
    for resource in resources:
        if (resource.id.group, resource.id.kind) != ("policy", "PodDisruptionBudget"):
            continue
        spec = resource.value.get("spec") or {}
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        if resource.id.namespace != subject.workload.namespace or not wanted or not wanted.items() <= labels.items():
            continue
        least = spec.get("minAvailable")
        if isinstance(least, int) and not isinstance(least, bool):
            yield resource, least
        elif isinstance(least, str) and least.endswith("%") and least[:-1].isdigit():
            yield resource, 1  # of two pods a share below 100 % lets one go


class Overbooked(NamedTuple):
    """A quota that is smaller than what its namespace may come to request."""

    quota: Resource
    name: str
    """The resource as the quota calls it."""
    allowed: float
    wanted: float


def overbooked(subject: Subject, resources: Sequence[Resource]) -> Iterator[Overbooked]:
    """The quotas of a workload's namespace that do not hold all workloads there at their largest at once."""
    within = [one for one in resources if one.id.namespace == subject.workload.namespace]
    sizes = _sizes(within)
    for quota in _quotas_of(within):
        for counted, name, allowed in _counted(quota):
            wanted = sum(float(pods.most) * _each(spec, counted) for _, pods, spec in sizes)
            if wanted > allowed:
                yield Overbooked(quota, name, allowed, wanted)


def _room(subject: Subject, scaling: Scaling, resources: Sequence[Resource]) -> Iterator[int]:
    """For how many pods of a workload each quota of its namespace has room while all others there are at their least.

    At their largest there may be room for none, and they are not all at once.
    """
    within = [one for one in resources if one.id.namespace == subject.workload.namespace]
    others = [(pods, spec) for identity, pods, spec in _sizes(within) if identity != subject.workload]
    own = {"cpu": scaling.cores, "memory": scaling.memory_bytes, "pods": 1.0}
    for quota in _quotas_of(within):
        for counted, _, allowed in _counted(quota):
            if own[counted]:
                taken = sum(float(pods.least) * _each(spec, counted) for pods, spec in others)
                yield max(1, int((allowed - taken) // own[counted]))


_COUNTED: Final = (
    ("cpu", ("requests.cpu", "cpu")),
    ("memory", ("requests.memory", "memory")),
    ("pods", ("pods", "count/pods")),
)
"""What a quota may bound of pods, with its names. https://kubernetes.io/docs/concepts/policy/resource-quotas/"""


def _quotas_of(resources: Iterable[Resource]) -> Iterator[Resource]:
    """The quotas that count all pods: one with scopes counts some of them."""
    for resource in resources:
        if (resource.id.group, resource.id.kind) == ("", "ResourceQuota"):
            spec = map_in(resource.value, "spec")
            if not spec.get("scopes") and not spec.get("scopeSelector"):
                yield resource


def _counted(quota: Resource) -> Iterator[tuple[str, str, float]]:
    hard = map_in(quota.value, "spec", "hard")
    for counted, names in _COUNTED:
        found = [(float(quantity(hard[name])), name) for name in names if name in hard]
        if found:
            allowed, name = min(found)
            yield counted, name, allowed


def _sizes(resources: Sequence[Resource]) -> list[tuple[ResourceId, Range, dict[str, Any]]]:
    """The workloads that are scaled by number, with the sizes they may have and the spec of their pods."""
    scalers = [scaler for one in resources if (scaler := scaler_of(one.id, one.value)) is not None]
    out = []
    for one in resources:
        template = pod_template(one.id, one.value)
        if template is None or one.id.kind not in {"Deployment", "StatefulSet", "ReplicaSet"}:
            continue
        name = (one.id.kind, one.id.namespace, one.id.name)
        pods = pods_of(one.id, one.value, [scaler for scaler in scalers if scaler.target == name], None)
        out.append((one.id, pods, map_in(template, "spec")))
    return out


def _each(spec: Mapping[str, Any], counted: str) -> float:
    return 1.0 if counted == "pods" else float(requested(spec, counted))


def _labels(subject: Subject) -> Mapping[str, Any]:
    template = (subject.workload_value.get("spec") or {}).get("template") or {}
    labels: Mapping[str, Any] = (template.get("metadata") or {}).get("labels") or {}
    return labels
