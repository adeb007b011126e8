"""Which resources of different environments are one resource."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from envcompile.chart.alignment import align, numbered
from envcompile.chart.facts import flatten
from envcompile.chart.portions import Portion
from tests.chart.samples import config_map, deployment, with_namespace

if TYPE_CHECKING:
    from envcompile.chart.shapes import Subject
    from tests.chart.samples import Environments


def _align(environments: Environments) -> list[Subject]:
    """The resources of each environment, aligned."""
    portions = [[Portion("", partial(list, [("", value) for value in own]))] for own in environments.values()]
    return align(tuple(environments), portions, 0)


def _seen(environments: Environments) -> dict[str, tuple[int, ...]]:
    """In which environments each aligned resource is."""
    return {subject.title: tuple(subject.versions) for subject in _align(environments)}


def test_resources_of_one_name_are_one_although_namespaces_differ() -> None:
    """Also when only one of the environments names a namespace."""
    found = {"dev": [config_map("a")], "prod": with_namespace("shop-prod", config_map("a"))}
    assert _seen(found) == {"ConfigMap/a": (0, 1)}


def test_two_namespaces_in_one_environment_keep_their_resources_apart() -> None:
    """A name that is not unique in an environment is matched by namespace only."""
    both = [*with_namespace("a", config_map("x")), *with_namespace("b", config_map("x"))]
    assert [tuple(subject.versions) for subject in _align({"dev": both, "prod": both})] == [(0, 1), (0, 1)]


def test_namespaces_that_hold_the_environments_name_are_matched() -> None:
    """`a-dev` and `a-prod` are one namespace, `b-dev` and `b-prod` another."""
    found = {
        name: [*with_namespace(f"a-{name}", config_map("x")), *with_namespace(f"b-{name}", config_map("x"))]
        for name in ("dev", "prod")
    }
    assert [tuple(subject.versions) for subject in _align(found)] == [(0, 1), (0, 1)]


def test_a_digest_at_the_end_of_a_name_does_not_keep_config_maps_apart() -> None:
    """Kustomize's generators write one that changes with the content."""
    found = {
        "dev": [config_map("app-bd2fcfgt6k")],
        "test": [config_map("app-bd2fcfgt6k")],
        "prod": [config_map("app-84kgbhcc2d")],
    }
    subjects = _align(found)
    assert [(subject.stem, tuple(subject.versions)) for subject in subjects] == [("app", (0, 1, 2))]


def test_a_prefix_that_all_names_of_an_environment_share_is_ignored() -> None:
    """Kustomize's namePrefix."""
    names = ("api", "web", "worker")
    found = {name: [deployment(f"{name}-{item}") for item in names] for name in ("dev", "prod")}
    assert [tuple(subject.versions) for subject in _align(found)] == [(0, 1)] * 3


def test_the_order_of_resources_changes_nothing() -> None:
    """Files may be read in any order."""
    resources = [config_map("a"), config_map("b"), deployment("c")]
    straight = _align({"dev": resources, "prod": resources})
    turned = _align({"dev": resources[::-1], "prod": resources})
    assert [subject.title for subject in straight] == [subject.title for subject in turned]


def test_lists_are_taken_apart() -> None:
    """With the kind that the list implies."""
    nested = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}],
    }
    assert list(flatten(nested)) == [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}]
    assert not list(flatten(["not", "a", "resource"]))


def test_of_two_resources_with_one_identity_the_last_wins_and_generated_names_are_all_kept() -> None:
    """As `kubectl apply` would leave them."""
    first, second = config_map("a", x="1"), config_map("a", x="2")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "j-"}}
    found = numbered([("", first), ("", second), ("", job), ("", job)])
    assert [value for _, value in found.values()] == [second, job, job]
