"""What a change adds to costs, and which fields are the cause."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from envcompile.cost.causes import Side, item_changes
from envcompile.cost.estimate import Money
from envcompile.cost.prices import Facts
from tests.cost.samples import CORE, GIB, LIST, container, cron_job, deployment, priced, resource, scaler, workload

if TYPE_CHECKING:
    from envcompile.cost.causes import ItemChange
    from envcompile.model import Resource


def changes(before: list[Resource], after: list[Resource]) -> tuple[ItemChange, ...]:
    """What the second state costs another amount of."""
    sides = [Side(side, priced(*side)) for side in (before, after)]
    return item_changes(sides[0], sides[1], LIST, Fraction(1), Facts())


def causes(before: list[Resource], after: list[Resource]) -> list[tuple[str, str, object, object, int]]:
    """The causes in short, with what each adds as expected; their sum is the whole, for all three figures."""
    found = changes(before, after)
    for item in found:
        total = Money()
        for cause in item.causes:
            total = total.plus(cause.money)
        assert total == item.money
    return [
        (cause.resource.kind, cause.field, cause.old, cause.new, cause.money.expected.total)
        for item in found
        for cause in item.causes
    ]


def test_every_field_has_its_share() -> None:
    """One after the other, as the manifest has them: replicas at the old size, then the size at the new number."""
    before = [deployment(container(cpu="1", memory="512Mi"), replicas=4)]
    after = [deployment(container(cpu="1", memory="1Gi"), replicas=6)]
    assert causes(before, after) == [
        ("Deployment", "spec.replicas", 4, 6, 2 * CORE + GIB),
        ("Deployment", "spec.template.spec.containers[name=main].resources.requests.memory", "512Mi", "1Gi", 3 * GIB),
    ]


def test_an_autoscaler_is_a_cause() -> None:
    """The field stands in the autoscaler, the cost at the workload."""
    before = [deployment(container(cpu="1"), replicas=None), scaler(2, 4)]
    assert causes(before, [before[0], scaler(3, 4)]) == [("HorizontalPodAutoscaler", "spec.minReplicas", 2, 3, CORE)]
    (item,) = changes(before, [before[0], scaler(2, 9)])
    assert (item.money.expected.total, item.money.most.total) == (0, 5 * CORE)
    assert [cause.field for cause in item.causes] == ["spec.maxReplicas"]


def test_an_autoscaler_that_comes_or_goes() -> None:
    """It is told as a whole."""
    web = deployment(container(cpu="1"), replicas=None)
    assert causes([web], [web, scaler(3, 5)]) == [("HorizontalPodAutoscaler", "", None, None, 2 * CORE)]
    assert causes([web, scaler(3, 5)], [web]) == [("HorizontalPodAutoscaler", "", None, None, -2 * CORE)]


def test_a_workload_that_comes_or_goes() -> None:
    """All of it is added, or saved."""
    web, other = deployment(container(cpu="1")), deployment(container(cpu="2"), name="other")
    assert causes([web], [web, other]) == [("Deployment", "", None, None, 2 * CORE)]
    assert causes([web, other], [web]) == [("Deployment", "", None, None, -2 * CORE)]


def test_what_costs_nothing_is_no_cause() -> None:
    """An image, a label, a limit beside a request."""
    before = [deployment(container(cpu="1", image="web:1"))]
    after = [
        deployment(container(cpu="1", image="web:2", resources={"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}))
    ]
    assert changes(before, after) == ()
    assert changes([deployment(container(cpu="1000m"))], [deployment(container(cpu="1"))]) == ()


def test_a_container_that_comes() -> None:
    """Its request is the cause; so is what makes an init container a sidecar."""
    before = [deployment(container(cpu="1"))]
    after = [deployment(container(cpu="1"), container("proxy", cpu="500m"))]
    field = "spec.template.spec.containers[name=proxy].resources.requests.cpu"
    assert causes(before, after) == [("Deployment", field, None, "500m", CORE // 2)]
    init = [deployment(container(cpu="1"), initContainers=[container("proxy", cpu="500m")])]
    side = [deployment(container(cpu="1"), initContainers=[container("proxy", cpu="500m", restartPolicy="Always")])]
    field = "spec.template.spec.initContainers[name=proxy].restartPolicy"
    assert causes(init, side) == [("Deployment", field, None, "Always", CORE // 2)]


def test_init_containers_that_change_places() -> None:
    """A sidecar that starts before a large init container runs beside it: the order is told as the cause."""
    large, sidecar = container("large", cpu="4"), container("proxy", cpu="1", restartPolicy="Always")
    before = [deployment(container(cpu="1"), initContainers=[large, sidecar])]
    after = [deployment(container(cpu="1"), initContainers=[sidecar, large])]
    assert causes(before, after) == [("Deployment", "spec.template.spec.initContainers", None, None, CORE)]


def test_schedules_claims_and_limits() -> None:
    """Every kind of cost has its fields."""
    daily, hourly = cron_job("0 0 * * *", container(cpu="1")), cron_job("0 * * * *", container(cpu="1"))
    assert [cause[1:4] for cause in causes([daily], [hourly])] == [("spec.schedule", "0 0 * * *", "0 * * * *")]

    def stateful(size: str) -> Resource:
        claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}
        return workload("StatefulSet", container(cpu="1"), replicas=2, volumeClaimTemplates=[claim])

    field = "spec.volumeClaimTemplates[name=data].spec.resources.requests.storage"
    assert causes([stateful("10Gi")], [stateful("20Gi")]) == [("StatefulSet", field, "10Gi", "20Gi", 800_000)]

    def limited(amount: str) -> Resource:
        limits = [{"type": "Container", "defaultRequest": {"cpu": amount}}]
        return resource("LimitRange", "limits", api="v1", spec={"limits": limits})

    web = deployment(container())
    assert causes([web, limited("1")], [web, limited("2")]) == [
        ("LimitRange", "spec.limits[0].defaultRequest.cpu", "1", "2", CORE)
    ]


def test_a_service_that_becomes_a_load_balancer() -> None:
    """The whole cost is new: the resource cost nothing before."""
    before, after = ([resource("Service", api="v1", spec={"type": kind})] for kind in ("ClusterIP", "LoadBalancer"))
    assert causes(before, after) == [("Service", "", None, None, 18_250_000)]
