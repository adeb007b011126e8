"""An autoscaler is read with the API server's defaults, and refused as it would refuse it."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.errors import EnvcError
from envcompile.scaling.hpa.spec import (
    DEFAULT_METRIC,
    SCALE_DOWN,
    Autoscaler,
    Behavior,
    Metric,
    MetricKind,
    Policy,
    Select,
    TargetKind,
    autoscaler_of,
)

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}


def test_defaults_are_the_api_servers() -> None:
    """One pod at least, 80 % of the CPU requested; without `behavior` there are no rules at all."""
    assert autoscaler_of({"maxReplicas": 3}) == Autoscaler(3, 1, (DEFAULT_METRIC,), None)


def test_an_empty_behavior_has_default_rules() -> None:
    """That is another algorithm than no `behavior`."""
    assert autoscaler_of({"maxReplicas": 3, "behavior": {}}).behavior == Behavior()


def test_given_policies_replace_the_defaults_whole() -> None:
    """The other direction keeps its own."""
    policy = {"type": "Pods", "value": 2, "periodSeconds": 60}
    behavior = autoscaler_of({
        "maxReplicas": 3,
        "behavior": {"scaleUp": {"policies": [policy], "selectPolicy": "Min", "tolerance": "50m"}},
    }).behavior
    assert behavior is not None
    assert behavior.up.policies == (Policy(False, 2, 60),)
    assert (behavior.up.select, behavior.up.tolerance, behavior.up.window_seconds) == (Select.MIN, 0.05, 0)
    assert behavior.down == SCALE_DOWN


def test_every_type_of_metric_is_read() -> None:
    """Targets are in milli-units, but for utilisation, which is in percent."""
    topic = {"name": "lag", "selector": {"matchLabels": {"topic": "video"}}}
    spec = {
        "maxReplicas": 9,
        "metrics": [
            CPU,
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "memory",
                    "container": "app",
                    "target": {"type": "AverageValue", "averageValue": "1Mi"},
                },
            },
            {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"averageValue": "1.5"}}},
            {
                "type": "Object",
                "object": {
                    "metric": {"name": "rps"},
                    "describedObject": {"kind": "Ingress"},
                    "target": {"type": "Value", "value": "5k"},
                },
            },
            {"type": "External", "external": {"metric": topic, "target": {"averageValue": "1e3"}}},
        ],
    }
    selector = (
        "&LabelSelector{MatchLabels:map[string]string{topic: video,},MatchExpressions:[]LabelSelectorRequirement{},}"
    )
    assert autoscaler_of(spec).metrics == (
        Metric(MetricKind.RESOURCE, "cpu", TargetKind.UTILIZATION, 70),
        Metric(MetricKind.CONTAINER_RESOURCE, "memory", TargetKind.AVERAGE_VALUE, 2**20 * 1000, container="app"),
        Metric(MetricKind.PODS, "rps", TargetKind.AVERAGE_VALUE, 1_500),
        Metric(MetricKind.OBJECT, "rps", TargetKind.VALUE, 5_000_000, described_kind="Ingress"),
        Metric(MetricKind.EXTERNAL, "lag", TargetKind.AVERAGE_VALUE, 1_000_000, selector=selector),
    )


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, "maxReplicas is None"),
        ({"maxReplicas": 1, "minReplicas": 2}, "maxReplicas is 1"),
        ({"maxReplicas": 3, "minReplicas": -1}, "minReplicas is -1"),
        ({"maxReplicas": 3, "minReplicas": 0}, "minReplicas is 0 without an Object or External metric"),
        ({"maxReplicas": 3, "metrics": [{"type": "Cpu"}]}, r"metrics\[0\]: type is 'Cpu'"),
        ({"maxReplicas": 3, "metrics": [{"type": "Pods"}]}, "has no field of its own"),
        (
            {"maxReplicas": 3, "metrics": [{"type": "Pods", "pods": {"metric": {}, "target": {"value": "1"}}}]},
            "the target names no amount",
        ),
        (
            {"maxReplicas": 3, "metrics": [{"type": "External", "external": {"target": {"value": "-1"}}}]},
            "the target is not above zero",
        ),
        (
            {"maxReplicas": 3, "metrics": [{"type": "External", "external": {"target": {"value": "much"}}}]},
            "value is 'much', which is no quantity",
        ),
        ({"maxReplicas": 3, "behavior": {"scaleUp": {"policies": []}}}, "policies is empty"),
        ({"maxReplicas": 3, "behavior": {"scaleUp": {"policies": [{"type": "Pods"}]}}}, "is no policy"),
        ({"maxReplicas": 3, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}}, "is 3601"),
        ({"maxReplicas": 3, "behavior": {"scaleDown": {"selectPolicy": "Most"}}}, "selectPolicy is 'Most'"),
        ({"maxReplicas": 3, "behavior": {"scaleDown": {"tolerance": "-1"}}}, "tolerance is '-1'"),
    ],
)
def test_what_the_api_server_refuses_is_refused(spec: dict[str, Any], told: str) -> None:
    """With the field, and how to mend it."""
    with pytest.raises(EnvcError, match=told):
        autoscaler_of(spec)


def test_all_mistakes_are_told_at_once() -> None:
    """Of bounds, metrics and behaviour."""
    with pytest.raises(EnvcError) as caught:
        autoscaler_of({"metrics": [{"type": "Cpu"}], "behavior": {"scaleUp": {"policies": []}}})
    assert len(caught.value.problems) == 3
