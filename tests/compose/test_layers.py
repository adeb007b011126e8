"""Layer over layer: what is a patch, what is new, what each leaves behind."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given

from envcompile.errors import EnvcError
from tests.compose.inmemory import composed
from tests.harness.compiled import complaint, resources, value_of
from tests.harness.repository import config_map, deployment, environment
from tests.strategies import json_maps

if TYPE_CHECKING:
    from tests.conftest import MakeProject


PATCH = "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: ConfigMap}\n"
SCALER = (
    "apiVersion: autoscaling/v{0}\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\nspec: {{maxReplicas: {0}}}\n"
)


def thing(spec: Any = None, **rest: Any) -> dict[str, Any]:
    """A custom resource, whose schema nobody knows."""
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec or {}, **rest}


@given(json_maps())
def test_a_patch_that_says_nothing_changes_nothing(spec: dict[str, Any]) -> None:
    """The result is the base's own object, so nothing is rendered twice."""
    base = thing(spec)
    for patch in (thing(), {**thing(), "spec": deepcopy(spec)}, {**thing(), "metadata": {"name": "a", "labels": None}}):
        if not _has_null(patch["spec"]):
            assert composed([base], [patch])["Thing/a"].value is base


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(item is None or key[:1] == "$" or _has_null(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_null, value))


@given(json_maps(), json_maps(), json_maps())
def test_inputs_are_never_changed(base: dict[str, Any], patch: dict[str, Any], other: dict[str, Any]) -> None:
    """Whatever is laid over whatever: every document stays as it was read."""
    layers = [[thing(base)], [thing(patch)], [thing(other)]]
    before = deepcopy(layers)
    with suppress(EnvcError):
        composed(*layers)
    assert layers == before


@given(json_maps())
def test_a_document_that_stands_alone_is_its_own_result(spec: dict[str, Any]) -> None:
    """Compiling without overlays is reading."""
    base = thing(spec)
    [resource] = composed([base]).values()
    assert resource.value is base
    assert [step.role for step in resource.steps] == ["base"]


def test_every_layer_is_a_step(make_project: MakeProject) -> None:
    """Who spoke, in order, and the value before and after."""
    root = make_project({
        "base/app/a.yaml": config_map(),
        "overlays/low/a.yaml": config_map(color="low"),
        "overlays/prod/environment.yaml": environment("extends: [../low]\nlabels: {a: b}\n"),
        "overlays/prod/a.yaml": config_map(color="prod"),
        "overlays/prod/p.yaml": (
            f"{PATCH}merge: {{data: {{color: merged}}}}\n---\n"
            f"{PATCH}json6902: [{{op: add, path: /data/more, value: x}}]\n"
        ),
    })
    steps = resources(root)["ConfigMap/settings"].steps
    assert [(step.role, step.layer) for step in steps] == [
        ("base", "base"),
        ("patch", "overlays/low"),
        ("patch", "overlays/prod"),
        ("merge", "overlays/prod"),
        ("json6902", "overlays/prod"),
        ("setting", "overlays/prod"),
    ]
    assert all(later.before is earlier.after for earlier, later in pairwise(steps))
    assert steps[0].before is None


def test_a_new_resource_is_patched_by_later_layers(make_project: MakeProject) -> None:
    """What one overlay adds, the next may change."""
    root = make_project({
        "overlays/low/a.yaml": config_map(),
        "overlays/prod/environment.yaml": environment("extends: [../low]\n"),
        "overlays/prod/a.yaml": config_map(shape="round"),
    })
    assert value_of(root, "ConfigMap/settings")["data"] == {"color": "blue", "shape": "round"}


def test_what_a_layer_deletes_a_later_one_may_define_anew(make_project: MakeProject) -> None:
    """A deletion is not remembered against the name."""
    root = make_project({
        "base/app/a.yaml": config_map(),
        "overlays/low/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n$patch: delete\n",
        "overlays/prod/environment.yaml": environment("extends: [../low]\n"),
        "overlays/prod/a.yaml": config_map(color="new"),
    })
    assert value_of(root, "ConfigMap/settings")["data"] == {"color": "new"}
    assert [step.role for step in resources(root)["ConfigMap/settings"].steps] == ["resource"]


def test_the_application_of_a_new_resource(make_project: MakeProject) -> None:
    """The first folder below the overlay, or the file's name."""
    root = make_project({
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/shop/deeper/a.yaml": config_map("one"),
        "overlays/prod/extra.yaml": config_map("two"),
        "base/shop/b.yaml": config_map("three"),
        "overlays/prod/other/b.yaml": config_map("three", color="red"),
    })
    assert {name: resource.app for name, resource in resources(root).items()} == {
        "ConfigMap/one": "shop",
        "ConfigMap/two": "extra",
        "ConfigMap/three": "shop",
    }


def test_annotations_that_speak_to_envc_do_not_reach_the_output(make_project: MakeProject) -> None:
    """Neither the one for new resources nor the one for whole texts; others stay."""
    new = 'envcompile.dev/new: "true"'
    root = make_project({
        "base/app/a.yaml": config_map(),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/a.yaml": (
            f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a, annotations: {{{new}}}}}\n---\n"
            f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: b, annotations: {{{new}, kept: x}}}}\n---\n"
            'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, annotations: {envcompile.dev/replace: "*"}}\n'
        ),
    })
    assert value_of(root, "Thing/a")["metadata"] == {"name": "a"}
    assert value_of(root, "Thing/b")["metadata"] == {"name": "b", "annotations": {"kept": "x"}}
    assert value_of(root, "ConfigMap/settings")["metadata"] == {"name": "settings"}


def test_a_complete_new_resource_needs_no_annotation(make_project: MakeProject) -> None:
    """It passes the schema of its kind; numbers in names are meant."""
    root = make_project({
        "base/app/a.yaml": deployment("worker-1"),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/a.yaml": deployment("worker-2"),
    })
    assert set(resources(root)) == {"Deployment/worker-1", "Deployment/worker-2"}
    assert not complaint(root)


def test_a_patch_may_say_another_version(make_project: MakeProject) -> None:
    """The version is no part of the identity; the patch's wins, as a value does."""
    root = make_project({
        "base/app/a.yaml": SCALER.format(1),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/a.yaml": SCALER.format(2),
    })
    [resource] = resources(root).values()
    assert resource.value["apiVersion"] == "autoscaling/v2"
    assert resource.value["spec"] == {"maxReplicas": 2}
