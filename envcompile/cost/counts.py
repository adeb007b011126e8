"""How many pods a workload has: at least, expected, and at most."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.model import ResourceId

_SCALED: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})


class Range(NamedTuple):
    """A number at its least, as it is expected, and at its most."""

    least: Fraction
    expected: Fraction
    most: Fraction

    def times(self, factor: Fraction) -> Range:
        """All three, multiplied."""
        return Range(*(number * factor for number in self))


NONE: Final = Range(Fraction(), Fraction(), Fraction())


def always(number: Fraction | int) -> Range:
    """A number that is always the same."""
    exact = Fraction(number)
    return Range(exact, exact, exact)


class Scaler(NamedTuple):
    """An autoscaler of the number of pods, and what it scales."""

    resource: ResourceId
    target: tuple[str, str, str]
    """Kind, namespace and name of the workload."""
    least: int
    most: int


def scaler_of(resource: ResourceId, value: Mapping[str, Any]) -> Scaler | None:
    """A resource as an autoscaler; None for everything else.

    The defaults are those of autoscaling/v2 (minReplicas 1) and of keda.sh/v1alpha1 (a Deployment, minReplicaCount 0,
    maxReplicaCount 100).
    """
    key = (resource.group, resource.kind)
    if key == ("autoscaling", "HorizontalPodAutoscaler"):
        fields, defaults, kind = ("minReplicas", "maxReplicas"), (1, 1), ""
    elif key == ("keda.sh", "ScaledObject"):
        fields, defaults, kind = ("minReplicaCount", "maxReplicaCount"), (0, 100), "Deployment"
    else:
        return None
    spec = map_in(value, "spec")
    target = map_in(spec, "scaleTargetRef")
    least, most = (whole(spec.get(field), default) for field, default in zip(fields, defaults, strict=True))
    name = (str(target.get("kind") or kind), resource.namespace, str(target.get("name") or ""))
    return Scaler(resource, name, least, max(least, most))


def pods_of(
    resource: ResourceId, value: Mapping[str, Any], scalers: Iterable[Scaler], running: Fraction | None
) -> Range:
    """The pods of a workload that is scaled by number.

    A workload with `replicas: 0` stays at none: neither autoscaler wakes it (KEDA does, from its own minimum of none).

    Args:
        resource: the workload.
        value: its manifest.
        scalers: those that mean it.
        running: how many run on average, where that is known.
    """
    spec = map_in(value, "spec")
    replicas = spec.get("replicas")
    stated = whole(replicas, 1) if resource.kind in _SCALED or replicas is not None else 1
    found = list(scalers)
    if not found or (stated == 0 and all(scaler.resource.group == "autoscaling" for scaler in found)):
        return always(stated)
    least, most = max(scaler.least for scaler in found), max(scaler.most for scaler in found)
    expected = running if running is not None else Fraction(least)
    return Range(Fraction(least), min(max(expected, Fraction(least)), Fraction(most)), Fraction(most))


def map_in(value: Any, *path: str) -> dict[str, Any]:
    """The map at the end of a path of keys; empty when there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def whole(value: Any, default: int) -> int:
    """A count as manifests say it; the default for what is none."""
    return value if type(value) is int and value >= 0 else default
