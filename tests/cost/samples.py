"""Resources that cost something, written short."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from envcompile.cost.estimate import estimate
from envcompile.cost.prices import DEFAULT, Facts
from envcompile.model import Resource, ResourceId

if TYPE_CHECKING:
    from envcompile.cost.estimate import Estimate
    from envcompile.cost.prices import Rates

DAY = date(2026, 11, 15)
LIST = DEFAULT.sheet.at(DAY)
CORE = 23_076_030
"""Millionths of a dollar that a core costs a month: 0.031611 x 730."""
GIB = 3_093_010
"""Likewise a GiB of memory: 0.004237 x 730."""


def resource(kind: str, name: str = "web", *, api: str = "apps/v1", namespace: str = "shop", **fields: Any) -> Resource:
    """A resource of a kind with these fields."""
    value = {"apiVersion": api, "kind": kind, "metadata": {"name": name, **fields.pop("metadata", {})}, **fields}
    group = api.rpartition("/")[0]
    return Resource(ResourceId(group, kind, namespace, name), value, name, ())


def container(name: str = "main", cpu: str | None = None, memory: str | None = None, **further: Any) -> dict[str, Any]:
    """A container that requests this much."""
    asked = {key: amount for key, amount in (("cpu", cpu), ("memory", memory)) if amount is not None}
    resources = {"requests": {**asked, **further.pop("requests", {})}, **further.pop("resources", {})}
    return {"name": name, "image": "web:1", "resources": resources, **further}


def deployment(*containers: dict[str, Any], name: str = "web", replicas: int | None = 1, **pod: Any) -> Resource:
    """A Deployment of these containers."""
    return workload("Deployment", *containers, name=name, replicas=replicas, pod=pod)


def workload(
    kind: str,
    *containers: dict[str, Any],
    name: str = "web",
    api: str = "apps/v1",
    replicas: int | None = None,
    pod: dict[str, Any] | None = None,
    **spec: Any,
) -> Resource:
    """A workload of a kind with a pod template of these containers."""
    count = {} if replicas is None else {"replicas": replicas}
    template = {"spec": {"containers": list(containers), **(pod or {})}}
    return resource(kind, name, api=api, spec={**count, **spec, "template": template})


def cron_job(schedule: str, *containers: dict[str, Any], name: str = "report", **job: Any) -> Resource:
    """A CronJob of these containers."""
    spec = {**job, "template": {"spec": {"containers": list(containers)}}}
    return resource("CronJob", name, api="batch/v1", spec={"schedule": schedule, "jobTemplate": {"spec": spec}})


def scaler(least: int | None, most: int, *, target: str = "web", kind: str = "Deployment") -> Resource:
    """A HorizontalPodAutoscaler."""
    bounds = {"maxReplicas": most} if least is None else {"minReplicas": least, "maxReplicas": most}
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": target}, **bounds}
    return resource("HorizontalPodAutoscaler", f"{target}-hpa", api="autoscaling/v2", spec=spec)


def priced(
    *resources: Resource, rates: Rates = LIST, factor: Fraction = Fraction(1), facts: Facts | None = None
) -> Estimate:
    """What these resources cost, at the list that comes with envc."""
    return estimate("prod", resources, rates, factor, facts or Facts())


def totals(found: Estimate) -> tuple[int, int, int]:
    """Millionths of the currency a month: at least, as expected, at most."""
    least, expected, most = (amount.total for amount in found.money)
    return least, expected, most
