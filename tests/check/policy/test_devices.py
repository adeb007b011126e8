"""Selectors of devices are estimated at what the API server's own code estimates them at.

The figures are those of cel/compile_test.go in k8s.io/dynamic-resource-allocation 0.37.2 (Apache-2.0), which holds the
estimate against what an evaluation costs.
"""

from __future__ import annotations

import pytest

from envcompile.check.policy.devices import LIMIT, cost

pytest.importorskip("cel_expr_python")
EXPENSIVE = """
device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d,
a + b + c + d != ''))))
"""


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ('device.driver == "dra.example.com"', 4),
        ('device.attributes["dra.example.com"].name', 4),
        ('device.attributes["dra.example.com"].name > 0', 5),
        ('cel.bind(dra, device.attributes["dra.example.com"], dra.name)', 15),
        ('device.attributes["dra.example.com"].name.isGreaterThan(semver("0.0.1"))', 6),
        ('device.attributes["dra.example.com"].services.matches("[^a]?sym")', 18),
        ('device.attributes["dra.example.com"].services.split("example").size() >= 2', 19),
        ('device.attributes["dra.example.com"].exists_one(x, x == "services")', 133),
        ('device.attributes.exists_one(x, x == "dra.example.com")', 164),
        ("device.allowMultipleAllocations == true", 3),
    ],
)
def test_a_selector_is_as_dear_as_the_servers_code_says(text: str, most: int) -> None:
    """To the last unit."""
    assert cost(text, "1.37") == most


def test_all_attributes_of_all_attributes_are_too_dear() -> None:
    """The bounds of a device's attributes go into the estimate."""
    found = cost(EXPENSIVE, "1.37")
    assert found is not None
    assert found > 60 * LIMIT


def test_what_the_engine_does_not_take_is_not_estimated() -> None:
    """Somebody else says what is wrong with it."""
    assert cost("device.driver ==", "1.37") is None
