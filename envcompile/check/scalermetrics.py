"""The metrics that autoscalers measure pods by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.reading import map_at, maps_at, text_at
from envcompile.check.scalers import KEDA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.scalers import Scaler
    from envcompile.model import Pointer


def resource_metrics(scaler: Scaler) -> Iterator[tuple[Pointer, str, str, bool]]:
    """Pointer, resource, container (empty for all) and whether it is a share of the request, of each metric."""
    if scaler.kind == KEDA:
        for position, trigger in maps_at(scaler.resource.value, "spec", "triggers"):
            if text_at(trigger, "type") in {"cpu", "memory"}:
                kind = text_at(trigger, "metricType") or text_at(trigger, "metadata", "type") or "Utilization"
                container = text_at(trigger, "metadata", "containerName")
                yield ("spec", "triggers", position), text_at(trigger, "type"), container, kind == "Utilization"
        return
    spec = map_at(scaler.resource.value, "spec")
    if spec.get("targetCPUUtilizationPercentage") is not None:  # autoscaling/v1
        yield ("spec", "targetCPUUtilizationPercentage"), "cpu", "", True
    for position, metric in maps_at(spec, "metrics"):
        for field in ("resource", "containerResource"):
            source = map_at(metric, field)
            if source:
                is_share = text_at(source, "target", "type") == "Utilization"
                pointer = ("spec", "metrics", position, field)
                yield pointer, text_at(source, "name"), text_at(source, "container"), is_share
