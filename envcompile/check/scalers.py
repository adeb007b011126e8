"""What changes the number or the size of pods: autoscalers with their targets and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.reading import map_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.model import Pointer, Resource

AUTOSCALER: Final = "HorizontalPodAutoscaler"
KEDA: Final = "ScaledObject"
VERTICAL: Final = "VerticalPodAutoscaler"

_TARGETS: Final[Mapping[tuple[str, str], str]] = {
    ("autoscaling", AUTOSCALER): "scaleTargetRef",
    ("keda.sh", KEDA): "scaleTargetRef",
    ("autoscaling.k8s.io", VERTICAL): "targetRef",
}


class Scaler(NamedTuple):
    """An autoscaler: the workload it means, and how far it goes."""

    resource: Resource
    target: tuple[str, str, str, str]
    """Group, kind, namespace and name of the workload."""
    target_pointer: Pointer
    least: int
    """The fewest pods it goes down to; of no meaning for a VerticalPodAutoscaler."""
    most: int | None

    @property
    def kind(self) -> str:
        """The autoscaler's kind."""
        return self.resource.id.kind

    @property
    def changes_number(self) -> bool:
        """True for what changes how many pods there are."""
        return self.kind != VERTICAL


def scaler_of(resource: Resource) -> Scaler | None:
    """A resource as an autoscaler; None for everything else.

    The defaults are those of autoscaling/v2 (minReplicas 1) and of keda.sh/v1alpha1 (a Deployment of apps/v1,
    minReplicaCount 0, maxReplicaCount 100).
    """
    field = _TARGETS.get((resource.id.group, resource.id.kind))
    if field is None:
        return None
    spec = map_at(resource.value, "spec")
    target = map_at(spec, field)
    is_keda = resource.id.kind == KEDA
    version = text_at(target, "apiVersion") or ("apps/v1" if is_keda else "")
    kind = text_at(target, "kind") or ("Deployment" if is_keda else "")
    group = version.rpartition("/")[0]
    if is_keda:
        least, most = number_at(spec, "minReplicaCount"), number_at(spec, "maxReplicaCount")
        bounds = (0 if least is None else least, 100 if most is None else most)
    else:
        least, most = number_at(spec, "minReplicas"), number_at(spec, "maxReplicas")
        bounds = (1 if least is None else least, 0 if most is None else most)
    identity = (group, kind, resource.id.namespace, text_at(target, "name"))
    return Scaler(resource, identity, ("spec", field), bounds[0], bounds[1] or None)
