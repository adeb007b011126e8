"""Between which numbers of replicas a recommendation may be: disruption budgets, quotas, and availability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.scaling.quantities import amount_of
from envcompile.scaling.search import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.model import Resource

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
    most = min((count for _, count in _quotas(subject, scaling, known)), default=_NO_QUOTA)
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


def _quotas(subject: Subject, scaling: Scaling, resources: Iterable[Resource]) -> Iterator[tuple[Resource, int]]:
    """The ResourceQuotas of a workload's namespace with how many of its pods they leave room for."""
    for resource in resources:
        if (resource.id.group, resource.id.kind) != ("", "ResourceQuota"):
            continue
        if resource.id.namespace != subject.workload.namespace:
            continue
        hard = (resource.value.get("spec") or {}).get("hard") or {}
        for names, each in (
            (("requests.cpu", "cpu"), scaling.cores),
            (("requests.memory", "memory"), scaling.memory_bytes),
            (("pods", "count/pods"), 1.0),
        ):
            amount = next((hard[name] for name in names if name in hard), None)
            if amount is not None and each:
                yield resource, max(1, int(float(amount_of(amount)) // each))


def _labels(subject: Subject) -> Mapping[str, Any]:
    template = (subject.workload_value.get("spec") or {}).get("template") or {}
    labels: Mapping[str, Any] = (template.get("metadata") or {}).get("labels") or {}
    return labels
