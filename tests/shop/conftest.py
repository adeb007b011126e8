"""The shop, compiled once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcompile import Project
from tests.shop.cluster import Shop

ENVIRONMENTS = ("dev", "test", "staging", "prod")


@pytest.fixture(scope="session")
def shops() -> dict[str, Shop]:
    """Every environment of the shop by name."""
    project = Project.open(Path(__file__).parents[2])
    assert project.environments == ENVIRONMENTS
    return {name: Shop(resource.value for resource in project.compile(name).resources) for name in ENVIRONMENTS}


@pytest.fixture(params=ENVIRONMENTS)
def shop(request: pytest.FixtureRequest, shops: dict[str, Shop]) -> Shop:
    """One environment; a test that asks for it runs for each."""
    return shops[request.param]
