"""The laws of a difference on the environments of real repositories."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from envcompile.ask.changes import changes, root_node
from envcompile.model import Resource, ResourceId
from envcompile.yamlio import load_all
from tests.ask.apply import apply_fields
from tests.ask.samples import API

CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "environments"
LARGEST = 1_000_000
"""Bytes of a file; larger ones hold definitions of custom resources, which say nothing more about lists."""
PAIRS = [
    pair
    for folder in (sorted(CORPORA.iterdir()) if CORPORA.is_dir() else ())
    for pair in [*pairwise(path for path in sorted(folder.glob("*.yaml")) if path.stat().st_size < LARGEST)][:2]
]

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not PAIRS, reason="the real repositories are not beside this one"),
]


def read(path: Path) -> dict[ResourceId, Resource]:
    """The resources of an environment."""
    found = {}
    for value in load_all(path.read_bytes(), path.name):
        if isinstance(value, dict) and value.get("kind") and isinstance(value.get("metadata"), dict):
            metadata: dict[str, Any] = value["metadata"]
            group = str(value["apiVersion"]).rpartition("/")[0]
            name = str(metadata.get("name") or metadata.get("generateName"))
            identity = ResourceId(group, value["kind"], str(metadata.get("namespace", "")), name)
            found[identity] = Resource(identity, value, "app", ())
    return found


@pytest.mark.parametrize(
    ("one", "other"), PAIRS, ids=[f"{one.parent.name}: {one.stem} {two.stem}" for one, two in PAIRS]
)
def test_the_laws_hold_between_real_environments(one: Path, other: Path) -> None:
    """What differs between two environments turns the one into the other; read twice, an environment is the same."""
    old, new = read(one), read(other)
    assert changes(old.values(), read(one).values(), API) == []
    result = {identity: resource.value for identity, resource in old.items()}
    for change in changes(old.values(), new.values(), API):
        identity = change.resource
        if change.kind == "removed":
            del result[identity]
        elif change.kind == "added":
            result[identity] = new[identity].value
        else:
            node = root_node(identity, new[identity].value, API)
            result[identity] = apply_fields(result[identity], change.fields, node)
    assert result == {identity: resource.value for identity, resource in new.items()}
