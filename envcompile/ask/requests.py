"""What the pods of an environment ask of its nodes: the sum of CPU and memory requests over all replicas."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.model import Resource

_REPLICATED = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet")})
AUTOSCALER = "HorizontalPodAutoscaler"
"""The kind that says how many pods a workload without replicas has at least."""
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE])?)")
_SUFFIXES = {
    **{suffix: Fraction(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: Fraction(1, 1000**power) for power, suffix in enumerate(("m", "u", "n"), 1)},
}


class Requests(NamedTuple):
    """CPU in cores and memory in bytes."""

    cpu: Fraction
    memory: Fraction

    def minus(self, other: Requests) -> Requests:
        """The difference of two sums."""
        return Requests(self.cpu - other.cpu, self.memory - other.memory)


NOTHING = Requests(Fraction(), Fraction())


def quantity(value: Any) -> Fraction:
    """A quantity as Kubernetes writes it (`250m`, `1.5Gi`, `2`); 0 for what is none.

    Source: k8s.io/apimachinery/pkg/api/resource, the grammar above `type Quantity`.
    """
    match = _QUANTITY.fullmatch(str(value)) if not isinstance(value, bool) else None
    if match is None:
        return Fraction()
    number, exponent, suffix = match.groups()
    if exponent and abs(int(exponent[1:])) > 30:
        return Fraction()
    return Fraction(number + (exponent or "")) * _SUFFIXES.get(suffix or "", Fraction(1))


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
        cpu += replicas * _of_pod(pod, "cpu")
        memory += replicas * _of_pod(pod, "memory")
    return Requests(cpu, memory)


def _count(stated: Any) -> int:
    return stated if type(stated) is int and stated >= 0 else 1


def _of_pod(pod: dict[str, Any], name: str) -> Fraction:
    """What the scheduler counts: all containers with the sidecars, or the largest init container with them."""
    sidecars = largest = Fraction()
    for container in pod.get("initContainers") or ():
        asked = _of_container(container, name)
        if container.get("restartPolicy") == "Always":
            sidecars += asked
        else:
            largest = max(largest, sidecars + asked)
    together = sum((_of_container(container, name) for container in pod.get("containers") or ()), sidecars)
    return max(together, largest)


def _of_container(container: dict[str, Any], name: str) -> Fraction:
    """The request; a limit without a request is one."""
    resources = container.get("resources") or {}
    for field in ("requests", "limits"):
        stated = (resources.get(field) or {}).get(name)
        if stated is not None:
            return quantity(stated)
    return Fraction()


def describe_requests(change: Requests) -> str:
    """The change in words, such as `+0.5 CPU, -128 MiB memory`; empty when nothing changes."""
    parts = []
    if change.cpu:
        parts.append(f"{float(change.cpu):+.3f}".rstrip("0").rstrip(".") + " CPU")
    if change.memory:
        parts.append(f"{float(change.memory / 1024**2):+.1f}".rstrip("0").rstrip(".") + " MiB memory")
    return ", ".join(parts)
