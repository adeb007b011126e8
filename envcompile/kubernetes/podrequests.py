"""What pods ask of nodes, as the scheduler counts it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.podspecs import maps_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE])?)")
_SUFFIXES: Final[Mapping[str, Fraction]] = {
    **{suffix: Fraction(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: Fraction(1, 1000**power) for power, suffix in enumerate(("m", "u", "n"), 1)},
}


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


def requested(pod: Mapping[str, Any], resource: str, default: Fraction | None = None) -> Fraction:
    """What the scheduler counts of a resource for one pod, in its base unit: cores, bytes, pieces.

    The pod's own `resources` where it has some (KEP-2837), else the larger of two: all containers with the sidecars, or
    an init container with the sidecars that started before it; and `overhead` on top (KEP-688).

    Source: k8s.io/component-helpers/resource, PodRequests.

    Args:
        pod: the pod's spec.
        resource: such as `cpu`, `memory`, `nvidia.com/gpu`.
        default: what a LimitRange makes a container ask for that says nothing.
    """
    found = _stated(pod.get("resources"), resource)
    if found is None:
        sidecars = largest = Fraction()
        for container in maps_in(pod, "initContainers"):
            asked = _of_container(container, resource, default)
            if container.get("restartPolicy") == "Always":
                sidecars += asked
            else:
                largest = max(largest, sidecars + asked)
        together = sum(
            (_of_container(container, resource, default) for container in maps_in(pod, "containers")), sidecars
        )
        found = max(together, largest)
    overhead = pod.get("overhead")
    return found + (quantity(overhead.get(resource)) if isinstance(overhead, dict) else 0)


def names_requested(pod: Mapping[str, Any]) -> Iterator[str]:
    """The resources that the containers of a pod say something of, some of them several times."""
    for field in ("initContainers", "containers"):
        for container in maps_in(pod, field):
            for side in ("requests", "limits"):
                resources = container.get("resources")
                held = resources.get(side) if isinstance(resources, dict) else None
                yield from map(str, held if isinstance(held, dict) else ())


def _of_container(container: Mapping[str, Any], resource: str, default: Fraction | None) -> Fraction:
    stated = _stated(container.get("resources"), resource)
    return stated if stated is not None else default or Fraction()


def _stated(resources: Any, resource: str) -> Fraction | None:
    """The request; a limit without a request is one."""
    for field in ("requests", "limits"):
        held = resources.get(field) if isinstance(resources, dict) else None
        if isinstance(held, dict) and held.get(resource) is not None:
            return quantity(held[resource])
    return None
