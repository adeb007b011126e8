"""A ScaledObject becomes the autoscaler that KEDA makes of it; KEDA itself does 0 to 1 and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.errors import EnvcError
from envcompile.scaling.hpa.pods import Container
from envcompile.scaling.hpa.spec import Metric, MetricKind, Select, TargetKind
from envcompile.scaling.keda import scaled_object_of
from envcompile.scaling.kedareplay import replay_scaled_object
from envcompile.scaling.podworld import Demand, ReplayInput, Share, Startup, Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.scaling.keda import ScaledObject

LAG = {"type": "kafka", "name": "lag", "metadata": {"lagThreshold": "10", "activationLagThreshold": "2"}}
POD = (Share(Container("app", {"cpu": 100}), {}),)


def sizes(spec: dict[str, Any], lag: Sequence[int | None], *, replicas: int, **said: str) -> list[int]:
    """The size after each 15 s under a lag that is the same for as long."""
    scaled = scaled_object_of({"triggers": [LAG], **spec}, {f"autoscaling.keda.sh/{k}": v for k, v in said.items()})
    series = [None if value is None else [value * 1000] for value in lag]
    given = ReplayInput(Workload(replicas, POD, Startup()), Demand(external={"lag": series}), len(lag))
    return replay_scaled_object(given, scaled)


def test_defaults_and_metrics() -> None:
    """The minimum of the autoscaler is 1 where KEDA's is 0, the maximum 100; each trigger is a metric."""
    cpu = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}
    rate = {"type": "prometheus", "metricType": "Value", "metadata": {"threshold": "5.5"}}
    scaled = scaled_object_of({"triggers": [cpu, LAG, rate]})
    assert (scaled.autoscaler.min_replicas, scaled.autoscaler.max_replicas, scaled.min_replicas) == (1, 100, 0)
    assert scaled.autoscaler.metrics == (
        Metric(MetricKind.RESOURCE, "cpu", TargetKind.UTILIZATION, 60),
        Metric(MetricKind.EXTERNAL, "lag", TargetKind.AVERAGE_VALUE, 10_000),
        Metric(MetricKind.EXTERNAL, "s2-prometheus", TargetKind.VALUE, 5_500),
    )
    assert [trigger.activation for trigger in scaled.triggers] == [2_000, 0]
    assert not scaled.is_plain


def test_only_external_triggers_are_its_metrics() -> None:
    """Without cpu the autoscaler has no default metric beside them."""
    assert [one.name for one in scaled_object_of({"triggers": [LAG]}).autoscaler.metrics] == ["lag"]


def test_annotations_pause_a_direction() -> None:
    """They disable the policies of that side."""
    scaled = scaled_object_of({"triggers": [LAG]}, {"autoscaling.keda.sh/paused-scale-in": "true"})
    assert scaled.autoscaler.behavior is not None
    assert scaled.autoscaler.behavior.down.select is Select.DISABLED
    assert scaled.autoscaler.behavior.up.select is Select.MAX


def test_a_trigger_wakes_at_the_next_poll_and_the_autoscaler_grows() -> None:
    """1, then 4, 8, 16 at each reconciliation."""
    assert sizes({}, [0, 160, 160, 160, 160, 160, 160], replicas=0) == [0, 0, 4, 8, 16, 16, 16]


def test_at_its_activation_threshold_a_trigger_sleeps() -> None:
    """It is active above it only."""
    assert sizes({}, [2] * 8, replicas=0) == [0] * 8
    assert sizes({}, [3] * 4, replicas=0)[-1] == 1


def test_after_the_cooldown_it_goes_to_zero_from_whatever_size_is_left() -> None:
    """A long window of the autoscaler holds the size up to there."""
    spec = {
        "cooldownPeriod": 60,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}}}},
    }
    found = sizes(spec, [40] * 4 + [0] * 12, replicas=4)
    # Active last at the poll of 30 s; 60 s later is not yet over at 90 s, so the poll of 120 s puts it to zero.
    assert found == [4] * 8 + [0] * 8


def test_an_error_never_scales_to_zero() -> None:
    """Nothing happens until it can be read again."""
    assert sizes({"cooldownPeriod": 0}, [40, 40, *[None] * 10, 0, 0, 0, 0, 0], replicas=4)[11] == 4


def test_idle_replicas() -> None:
    """Between idle and the minimum there is nothing."""
    spec = {"minReplicaCount": 3, "idleReplicaCount": 0, "cooldownPeriod": 30}
    found = sizes(spec, [0] * 8 + [30] * 4, replicas=3)
    assert set(found) == {0, 3}
    assert found[-1] == 3


def test_fallback() -> None:
    """After so many failures the metric is as much as the fallback's size needs."""
    spec = {"minReplicaCount": 1, "fallback": {"failureThreshold": 3, "replicas": 6}}
    found = sizes(spec, [10, 10, *[None] * 10], replicas=1)
    assert found[1] == 1
    assert found[-1] == 6


def test_paused() -> None:
    """It keeps its size, or the one that is named."""
    assert sizes({}, [500] * 4, replicas=3, paused="true") == [3] * 4
    assert sizes({}, [500] * 4, replicas=3, **{"paused-replicas": "2"}) == [2] * 4


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"triggers": []}, "no triggers"),
        ({"triggers": [{"type": "kafka", "metadata": {}}]}, "names no target"),
        ({"triggers": [{**LAG, "metricType": "Utilization"}]}, "for cpu and memory alone"),
        ({"triggers": [{"type": "cpu", "metadata": {"value": "half"}}]}, "value is 'half'"),
        ({"triggers": [{"type": "cron", "metadata": {"start": "0 1 * * *", "end": "0 1 * * *"}}]}, "desiredReplicas"),
        ({"triggers": [LAG], "minReplicaCount": 2, "idleReplicaCount": 2}, "is not below"),
        ({"triggers": [LAG], "minReplicaCount": 9, "maxReplicaCount": 2}, "maxReplicas is 2"),
        ({"triggers": [LAG], "advanced": {"scalingModifiers": {"formula": "a+b"}}}, "formula"),
        ({"triggers": [LAG], "fallback": {"behavior": "scalingModifiers"}}, "is not simulated"),
    ],
)
def test_what_keda_refuses_or_is_not_simulated_is_told(spec: dict[str, Any], told: str) -> None:
    """Instead of a wrong answer."""
    with pytest.raises(EnvcError, match=told):
        scaled_object_of(spec)


def test_a_cron_trigger_is_a_floor() -> None:
    """Its metric wants one replica for each that it names."""
    metadata = {"start": "0 20 * * *", "end": "0 23 * * *", "timezone": "UTC", "desiredReplicas": "12"}
    scaled: ScaledObject = scaled_object_of({
        "minReplicaCount": 1,
        "triggers": [{"type": "cron", "metadata": metadata}],
    })
    (trigger,) = scaled.triggers
    assert (trigger.metric, trigger.target, trigger.cron.replicas if trigger.cron else 0) == ("s0-cron", 1_000, 12)
    assert scaled.is_plain
