"""The price of `explain` grows with what there is to tell, however many operations made a list."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from envcompile import Project
from envcompile.compose.provenance import explain
from envcompile.kubernetes.fieldpath import Item, Positions, step_of
from tests.harness.repository import environment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from envcompile.compose.provenance import FieldOrigin
    from tests.conftest import MakeProject

HEAD = "/spec/template/spec/containers/0/env/0"
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, env: [{name: A, value: b}]}]}}}
"""
KEYS = ("a", "b")
VALUES = st.sampled_from(["1", 1, True, 1.0, None, "None", "x", "True", 2, "2.0", ["1"]])


@given(
    st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES) | VALUES, max_size=40),
    st.lists(st.tuples(st.sampled_from(KEYS), VALUES), min_size=1, max_size=2, unique_by=itemgetter(0)),
)
def test_an_item_is_found_where_looking_through_the_list_finds_it(
    items: list[Any], keys: list[tuple[str, Any]]
) -> None:
    """Texts that stand for numbers, keys that are missing, items that are no maps, two items of one name."""
    positions, part = Positions(), Item(tuple(keys))
    for _ in range(2):
        assert positions.step_of(part, items) == step_of(part, items)


def project(make_project: MakeProject, count: int) -> Path:
    """So many operations at the head of one list; each third is taken out again."""
    adds = [f"- {{op: add, path: {HEAD}, value: {{name: V{number}, value: x}}}}\n" for number in range(count)]
    text = "".join(f"{line}- {{op: remove, path: {HEAD}}}\n" if not i % 3 else line for i, line in enumerate(adds))
    return make_project({
        "base/web/deployment.yaml": WEB,
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/p.yaml": "apiVersion: envcompile.dev/v1\nkind: Patch\n"
        f"target: {{kind: Deployment}}\njson6902:\n{text}",
    })


def explained(root: Path) -> list[FieldOrigin]:
    """Every leaf of the Deployment."""
    built = Project.open(root).compile_with_sources("prod")
    [resource] = built.compiled.resources
    return explain(resource, (), built.composed.api, built.composed.sources.where)


def test_operations_at_the_head_of_a_list_are_told_each_by_its_own_field(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that others were put before has one origin, one that is gone two; an item is compared once or never."""
    compared = 0
    matches = Item.matches

    def counted(self: Item, candidate: Any) -> bool:
        nonlocal compared
        compared += 1
        return matches(self, candidate)

    monkeypatch.setattr(Item, "matches", counted)
    count = 90
    found = {origin.field: origin for origin in explained(project(make_project, count))}
    at = "spec.template.spec.containers[name=web].env"
    for number in range(count):
        says = found[f"{at}[name=V{number}].value"].says
        assert [say.role for say in says] == ["json6902"] * (2 if not number % 3 else 1)
    assert [say.role for say in found[f"{at}[name=A].value"].says] == ["base"]
    assert compared < 400 * count, compared  # short lists are looked through; long ones were, 5,000 times for each item
