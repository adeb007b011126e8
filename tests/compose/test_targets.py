"""Which resources a `kind: Patch` reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.compose.targets import parse_selector
from tests.harness.compiled import resources, value_of
from tests.harness.repository import environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

RESOURCES = "---\n".join(
    f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}\n"
    for version, kind, name, namespace, labels in (
        ("v1", "ConfigMap", "web-config", "prod", "{app: web, tier: front}"),
        ("v1", "ConfigMap", "api-config", "prod", "{app: api}"),
        ("v1", "ConfigMap", "web-other", "other", "{app: web}"),
        ("example.com/v1", "ConfigMap", "web-custom", "prod", "{app: web}"),
        ("v1", "ServiceAccount", "web", "prod", "{}"),
        ("v1", "ServiceAccount", "odd", "prod", "{app: [web], tier: null}"),
    )
)
ALL = {"web-config", "api-config", "web-other", "web-custom", "web", "odd"}


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("kind: ConfigMap", {"web-config", "api-config", "web-other", "web-custom"}),
        ("kind: configmap", {"web-config", "api-config", "web-other", "web-custom"}),
        ("kind: '*Map'", {"web-config", "api-config", "web-other", "web-custom"}),
        ("kind: '*'", ALL),
        ("group: ''", ALL - {"web-custom"}),
        ("group: example.*", {"web-custom"}),
        ("name: web", {"web"}),
        ("name: web-*", {"web-config", "web-other", "web-custom"}),
        ("name: 'web-[co]*'", {"web-config", "web-other", "web-custom"}),
        ("name: WEB", set()),
        ("namespace: prod", ALL - {"web-other"}),
        ("namespace: o*", {"web-other"}),
        ("labelSelector: app=web", {"web-config", "web-other", "web-custom"}),
        ("labelSelector: app==api", {"api-config"}),
        ("labelSelector: app!=web", {"api-config", "web", "odd"}),
        ("labelSelector: 'app in (web, api)'", {"web-config", "api-config", "web-other", "web-custom"}),
        ("labelSelector: 'app notin (web)'", {"api-config", "web", "odd"}),
        ("labelSelector: tier", {"web-config", "odd"}),
        ("labelSelector: '!app'", {"web"}),
        ("labelSelector: 'app=web, tier'", {"web-config"}),
        ("labelSelector: app=web\n  kind: ConfigMap\n  namespace: prod\n  group: ''", {"web-config"}),
    ],
)
def test_a_target_reaches(target: str, names: set[str], make_project: MakeProject) -> None:
    """Every field is a glob, all of them must hold, and labels are read as kubectl reads them."""
    patch = (
        f"apiVersion: envcompile.dev/v1\nkind: Patch\noptional: true\ntarget:\n  {target}\nmerge: {{reached: true}}\n"
    )
    root = make_project({
        "base/app/all.yaml": RESOURCES,
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/patch.yaml": patch,
    })
    found = resources(root)
    assert {resource.id.name for resource in found.values() if resource.value.get("reached")} == names


@pytest.mark.parametrize("text", ["a in b", "a in ()b", "=", "a=b c", "a>1", "in (a)", "a,,b", "a in (b", "!a=b", ""])
def test_what_is_no_selector(text: str) -> None:
    """Nothing is guessed: a term of another form is refused."""
    with pytest.raises(ValueError, match=r".*"):
        parse_selector(text)


def test_patches_come_after_the_documents_of_their_layer_and_before_the_next(make_project: MakeProject) -> None:
    """A Patch of the base holds for every environment; overlays still win."""
    root = make_project({
        "base/app/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b, b: b, c: base}\n",
        "base/app/a-patch.yaml": (
            "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {name: a}\nmerge: {data: {a: patch, b: patch}}\n"
        ),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: overlay}\n",
    })
    assert value_of(root, "ConfigMap/a")["data"] == {"a": "patch", "b": "overlay", "c": "base"}


def test_a_patch_sees_labels_as_they_are_by_then(make_project: MakeProject) -> None:
    """An overlay that adds a label lets a later Patch of the same overlay hit."""
    root = make_project({
        "base/app/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: ''}}\n",
        "overlays/prod/p.yaml": (
            "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {labelSelector: x=}\nmerge: {data: {hit: 'true'}}\n"
        ),
    })
    assert value_of(root, "ConfigMap/a")["data"] == {"hit": "true"}


def test_a_merge_may_delete_what_it_reaches(make_project: MakeProject) -> None:
    """`$patch: delete` at the root takes the resources out."""
    root = make_project({
        "base/app/all.yaml": RESOURCES,
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/p.yaml": (
            "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {name: web*}\nmerge: {$patch: delete}\n"
        ),
    })
    assert {resource.id.name for resource in resources(root).values()} == {"api-config", "odd"}
