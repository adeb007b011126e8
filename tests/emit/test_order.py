"""The order of one stream: what others need comes first."""

from __future__ import annotations

import random

from envcompile.emit.order import in_apply_order
from tests.emit.samples import resource


def test_what_others_need_comes_first() -> None:
    """Namespaces, definitions and configuration before the workloads that use them."""
    kinds = ["Deployment", "Service", "Secret", "ConfigMap", "CustomResourceDefinition", "Gateway", "Namespace"]
    ordered = [item.id.kind for item in in_apply_order(resource(kind, "a") for kind in kinds)]
    assert ordered == [
        "Namespace",
        "CustomResourceDefinition",
        "Secret",
        "ConfigMap",
        "Service",
        "Deployment",
        "Gateway",
    ]


def test_the_order_depends_on_identities_alone() -> None:
    """Kind, namespace, name, group: however the resources come in."""
    expected = [
        resource("ConfigMap", "a", namespace="x"),
        resource("ConfigMap", "b", namespace="x"),
        resource("ConfigMap", "a", namespace="y"),
        resource("Gateway", "a", group="one.example.com"),
        resource("Gateway", "a", group="two.example.com"),
    ]
    chance = random.Random(1)
    for _ in range(20):
        assert in_apply_order(chance.sample(expected, len(expected))) == expected
