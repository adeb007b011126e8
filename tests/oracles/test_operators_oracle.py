"""What we say of objects of operators' kinds is what the API server says that has their definitions."""

import json
import random
import time
from typing import Any

import pytest

from envcompile.check.schema import complaints
from envcompile.kubernetes import load
from envcompile.kubernetes.shipped import groups, kinds_of
from tests.harness.command import PATIENCE
from tests.oracles.cluster import Cluster
from tests.oracles.custom_objects import definition, objects

pytestmark = pytest.mark.oracle

SEED = 7
KINDS = 40
OBJECTS = 6
API = load("1.37")
ESTABLISH_SECONDS = float(PATIENCE)


def chosen() -> list[tuple[str, str]]:
    """A drawn part of the kinds: one of each of as many groups."""
    rng = random.Random(SEED)
    drawn = rng.sample(sorted(groups()), KINDS)
    served = {group: [kind for kind, custom in kinds_of(group).items() if custom.versions] for group in drawn}
    return [(group, rng.choice(sorted(kinds))) for group, kinds in served.items() if kinds]


def test_our_verdict_is_the_servers(empty_cluster: Cluster) -> None:
    """Created with strict field validation: refused where we complain, and taken where we do not."""
    kinds = chosen()
    for group, kind in kinds:
        status, answer = empty_cluster.post(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(group, kind)
        )
        assert status == 201, (group, kind, answer.get("message"))
    differ, counts = [], {True: 0, False: 0}
    for group, kind in kinds:
        for what, value in objects(group, kind, OBJECTS, SEED):
            refused, why = _asked(empty_cluster, group, kind, value)
            found = complaints(API, value)
            counts[refused] += 1
            if refused != bool(found):
                differ.append((what, f"server: {why}", f"ours: {found[:2]}", json.dumps(value)[:600]))
    assert not differ, "\n\n".join("\n".join(each) for each in differ[:20]) + f"\n{len(differ)} of {counts}"
    assert min(counts.values()) > 100


def _asked(cluster: Cluster, group: str, kind: str, value: dict[str, Any]) -> tuple[bool, str]:
    """Whether the server refuses to create the object, and its words."""
    where = "namespaces/default/" if kinds_of(group)[kind].is_namespaced else ""
    path = f"/apis/{value['apiVersion']}/{where}{kind.lower()}s?dryRun=All&fieldValidation=Strict"
    deadline = time.monotonic() + ESTABLISH_SECONDS
    while True:
        status, answer = cluster.post(path, value)
        if status != 404 or time.monotonic() > deadline:
            return status >= 400, str(answer.get("message"))
        time.sleep(0.2)
