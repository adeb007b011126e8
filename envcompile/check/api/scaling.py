"""What is refused of autoscalers.

Source: pkg/apis/autoscaling/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.resources import container_resource
from envcompile.check.reading import at, maps_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator

_MEMBERS: Final[Mapping[str, str]] = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_SCALES_TO_ZERO: Final = 37
"""The minor version from which `minReplicas: 0` is known (HPAScaleToZero)."""


def autoscaler(spec: dict[str, Any], place: Place) -> Said:
    """The fewest and the most; source: validateHorizontalPodAutoscalerSpec."""
    least, most = number_at(spec, "minReplicas"), number_at(spec, "maxReplicas")
    if least is not None and most is not None and most < least:
        yield ("maxReplicas",), "`maxReplicas` is less than `minReplicas`"
    if least == 0:
        if place.release < _SCALES_TO_ZERO:
            yield ("minReplicas",), "`minReplicas` is less than 1"
        elif not any(text_at(item, "type") in {"Object", "External"} for _, item in maps_at(spec, "metrics")):
            yield ("metrics",), "`minReplicas: 0` needs a metric of type Object or External"


def target(value: dict[str, Any], place: Place) -> Said:
    """The API of what is scaled; source: ValidateAPIVersion."""
    version = text_at(value, "apiVersion")
    if version.count("/") > 1:
        yield ("apiVersion",), "`apiVersion` is not GROUP/VERSION"
        return
    is_core = version in {"", "v1"} and text_at(value, "kind") == "ReplicationController"
    if place.names[-1:] == ("scaleTargetRef",) and ("/" not in version or version.startswith("/")) and not is_core:
        yield ("apiVersion",), "`apiVersion` names no API group"


def metric(value: dict[str, Any], _: Place) -> Said:
    """The member that belongs to the type; source: validateMetricSpec."""
    wanted = _MEMBERS.get(text_at(value, "type"))
    there = [field for field in _MEMBERS.values() if value.get(field) is not None]
    if wanted is not None and wanted not in there:
        yield (wanted,), f"`{wanted}` is missing: `type` says so"
    if len(there) != 1:
        for field in there:
            if field != wanted:
                yield (field,), f"`{field}` does not belong to `type`"


def _one_value(source: dict[str, Any]) -> Said:
    goal = source.get("target")
    if isinstance(goal, dict) and goal.get("value") is None and goal.get("averageValue") is None:
        yield ("target", "averageValue"), "neither `value` nor `averageValue` is there: one must be"


def object_source(value: dict[str, Any], _: Place) -> Said:
    """Source: validateObjectSource."""
    yield from _one_value(value)


def external_source(value: dict[str, Any], _: Place) -> Said:
    """Source: validateExternalSource."""
    yield from _one_value(value)
    goal = value.get("target")
    if isinstance(goal, dict) and goal.get("value") is not None and goal.get("averageValue") is not None:
        yield ("target", "value"), "`value` and `averageValue` stand beside each other: only one may be there"


def pods_source(value: dict[str, Any], _: Place) -> Said:
    """Source: validatePodsSource."""
    if at(value, "target", "averageValue") is None:
        yield ("target", "averageValue"), "`averageValue` is missing"


def container_source(value: dict[str, Any], place: Place) -> Said:
    """Source: validateContainerResourceSource."""
    name = text_at(value, "name")
    if name and (what := container_resource(name)):
        yield ("name",), f"`name` {what}"
    yield from resource_source(value, place)


def resource_source(value: dict[str, Any], _: Place) -> Said:
    """Source: validateResourceSource, validateContainerResourceSource."""
    goal = value.get("target")
    use, average = at(goal, "averageUtilization"), at(goal, "averageValue")
    if use is None and average is None:
        yield ("target", "averageUtilization"), "neither `averageUtilization` nor `averageValue` is there: one must be"
    elif use is not None and average is not None:
        yield ("target", "averageValue"), "`averageUtilization` and `averageValue` stand beside each other"


def scaling_rules(value: dict[str, Any], _: Place) -> Said:
    """Policies that are there; source: validateScalingRules."""
    if value.get("policies") == []:
        yield ("policies",), "`policies` is empty: leave it out for the default, or name one"


RULES: Final[Mapping[str, Validator]] = {
    "autoscaling.v1.CrossVersionObjectReference": target,
    "autoscaling.v1.HorizontalPodAutoscalerSpec": autoscaler,
    "autoscaling.v2.ContainerResourceMetricSource": container_source,
    "autoscaling.v2.CrossVersionObjectReference": target,
    "autoscaling.v2.ExternalMetricSource": external_source,
    "autoscaling.v2.HPAScalingRules": scaling_rules,
    "autoscaling.v2.HorizontalPodAutoscalerSpec": autoscaler,
    "autoscaling.v2.MetricSpec": metric,
    "autoscaling.v2.ObjectMetricSource": object_source,
    "autoscaling.v2.PodsMetricSource": pods_source,
    "autoscaling.v2.ResourceMetricSource": resource_source,
}
