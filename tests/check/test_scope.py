"""Rules that are said to judge each resource alone do so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.looking import check_input_of
from envcompile.check.check_input import CheckInput
from envcompile.check.rules.catalogue import RULES
from envcompile.kubernetes.podspecs import map_pod_template
from envcompile.units.project import Project

if TYPE_CHECKING:
    from envcompile.model import Resource

ROOT = Path(__file__).parents[2]
OWN = {"api", "environment", "in_production", "is_production", "of_kind", "older", "pods", "resources", "right"}
"""What an input says about its resources one by one."""


class Lonely(CheckInput):
    """An input in which nobody can be asked about somebody else."""

    def __getattribute__(self, name: str) -> Any:
        """Refuse whatever joins resources."""
        if not name.startswith("_") and name not in OWN:
            raise AssertionError(f"a rule that judges each resource alone asks for {name}")
        return super().__getattribute__(name)


def worse(resource: Resource) -> Resource:
    """A workload that breaks many a rule; every other resource as it is."""

    def spoil(template: dict[str, Any]) -> dict[str, Any]:
        spoilt = {
            "name": "web",
            "image": "web",
            "env": [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}] * 2,
            "ports": [{"containerPort": 80}] * 2,
            "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
            "volumeMounts": [{"name": "gone", "mountPath": "/gone"}],
        }
        spec = {"containers": [spoilt], "hostNetwork": True, "volumes": [{"name": "a", "hostPath": {"path": "/"}}]}
        return {**template, "spec": spec}

    return resource._replace(value=map_pod_template(resource.id, resource.value, spoil))


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_they_find_the_same_one_by_one(environment: str) -> None:
    """In the shop, and in the shop with its pods made worse; they never ask for another resource."""
    inputs = check_input_of(Project.open(ROOT).compile_with_sources(environment))
    found = 0
    for resources in (inputs.resources, tuple(map(worse, inputs.resources))):
        whole = Lonely(environment, resources, inputs.api, inputs.keys)
        for rule in RULES:
            if rule.alone:
                together = list(rule.find(whole))
                single = [
                    hit
                    for resource in resources
                    for hit in rule.find(CheckInput(environment, [resource], inputs.api, inputs.keys))
                ]
                assert sorted(map(repr, together)) == sorted(map(repr, single)), rule.id
                found += len(together)
    assert found > 100
