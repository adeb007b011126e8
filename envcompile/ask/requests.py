"""What the pods of an environment ask of its nodes: the sum of CPU and memory requests over all replicas."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.kubernetes.podrequests import requested

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.model import Resource

_REPLICATED = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet")})
AUTOSCALER = "HorizontalPodAutoscaler"
"""The kind that says how many pods a workload without replicas has at least."""


class Requests(NamedTuple):
    """CPU in cores and memory in bytes."""

    cpu: Fraction
    memory: Fraction

    def minus(self, other: Requests) -> Requests:
        """The difference of two sums."""
        return Requests(self.cpu - other.cpu, self.memory - other.memory)


NOTHING = Requests(Fraction(), Fraction())


def requests_of(resources: Iterable[Resource]) -> Requests:
    """The sum over Deployments, StatefulSets and ReplicaSets, each times its replicas.

    A workload without replicas counts with the minimum of its HorizontalPodAutoscaler, else once. DaemonSets and Jobs
    are left out: how many of their pods run is not the configuration's to say.
    """
    known = list(resources)
    least: dict[tuple[str, str, str], int] = {}
    for resource in known:
        if resource.id.kind == AUTOSCALER:
            spec = resource.value.get("spec") or {}
            target = spec.get("scaleTargetRef") or {}
            key = (resource.id.namespace, str(target.get("kind")), str(target.get("name")))
            least[key] = _count(spec.get("minReplicas"))
    cpu = memory = Fraction()
    for resource in known:
        identity = resource.id
        if (identity.group, identity.kind) not in _REPLICATED:
            continue
        spec = resource.value.get("spec") or {}
        stated = spec.get("replicas")
        if stated is None:
            stated = least.get((identity.namespace, identity.kind, identity.name))
        replicas = _count(stated)
        pod = (spec.get("template") or {}).get("spec") or {}
        cpu += replicas * requested(pod, "cpu")
        memory += replicas * requested(pod, "memory")
    return Requests(cpu, memory)


def _count(stated: Any) -> int:
    return stated if type(stated) is int and stated >= 0 else 1


def describe_requests(change: Requests) -> str:
    """The change in words, such as `+0.5 CPU, -128 MiB memory`; empty when nothing changes."""
    parts = []
    if change.cpu:
        parts.append(f"{float(change.cpu):+.3f}".rstrip("0").rstrip(".") + " CPU")
    if change.memory:
        parts.append(f"{float(change.memory / 1024**2):+.1f}".rstrip("0").rstrip(".") + " MiB memory")
    return ", ".join(parts)
