"""Which layer set a field, told exactly: the steps of a resource read backwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile import Project
from envcompile.compose.provenance import REMOVED, explain, explain_text, text_keys, winning_place
from envcompile.kubernetes.fieldpath import look_up, parse_field, resolve
from tests.harness.repository import environment

if TYPE_CHECKING:
    from envcompile.compose.provenance import FieldOrigin
    from tests.conftest import MakeProject

SHOP = Path(__file__).parents[2]

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 1
  paused: true
  selector:
    matchLabels: {app: web}
  template:
    spec:
      nodeSelector: {a: b, c: d}
      containers:
      - name: web
        image: web:1
        env:
        - {name: A, value: "1"}
        - {name: B, value: "2"}
"""
LOW = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  paused: null
  template:
    spec:
      nodeSelector: null
      containers:
      - name: web
        env:
        - {name: A, $patch: delete}
        - name: C
          value: "3"
"""
PATCHES = """\
apiVersion: envcompile.dev/v1
kind: Patch
target: {kind: Deployment}
merge:
  spec:
    minReadySeconds: 5
---
apiVersion: envcompile.dev/v1
kind: Patch
target: {kind: Deployment}
json6902:
- {op: replace, path: /spec/minReadySeconds, value: 6}
- {op: add, path: /spec/template/spec/containers/0/args, value: [x]}
"""
SETTINGS = """\
extends: [../low]
namespace: prod
labels:
  env: prod
  app: renamed
replicas: {web: 4}
images:
- name: web
  newTag: "2"
"""
FILES = {
    "base/web/deployment.yaml": DEPLOYMENT,
    "overlays/low/web.yaml": LOW,
    "overlays/prod/environment.yaml": environment(SETTINGS),
    "overlays/prod/patches.yaml": PATCHES,
}


def origins(root: Path, field: str, name: str = "Deployment/web", environment_name: str = "prod") -> list[FieldOrigin]:
    """What `explain` finds about a field of one resource."""
    built = Project.open(root).compile_with_sources(environment_name)
    [resource] = [item for item in built.compiled.resources if item.id.short == name]
    path, key = parse_field(field)
    where = built.composed.sources.where
    if key is not None:
        found = explain_text(resource, path, key, where)
        return [found] if found else []
    return explain(resource, path, built.composed.api, where)


def says(root: Path, field: str) -> list[tuple[str, str, str, Any]]:
    """Layer, role, place and value of everybody who had a say in one field."""
    [origin] = origins(root, field)
    assert [say.wins for say in origin.says] == [False] * (len(origin.says) - 1) + [True]
    return [(say.layer, say.role, str(say.place), say.value) for say in origin.says]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            "spec.replicas",
            [
                ("base", "base", "base/web/deployment.yaml:8:13", 1),
                ("overlays/low", "patch", "overlays/low/web.yaml:6:13", 2),
                ("overlays/prod", "setting", "overlays/prod/environment.yaml:8:17", 4),
            ],
        ),
        (
            "/spec/replicas",
            [
                ("base", "base", "base/web/deployment.yaml:8:13", 1),
                ("overlays/low", "patch", "overlays/low/web.yaml:6:13", 2),
                ("overlays/prod", "setting", "overlays/prod/environment.yaml:8:17", 4),
            ],
        ),
        (
            "spec.paused",
            [
                ("base", "base", "base/web/deployment.yaml:9:11", True),
                ("overlays/low", "patch", "overlays/low/web.yaml:7:11", REMOVED),
            ],
        ),
        (
            "spec.template.spec.nodeSelector.c",
            [
                ("base", "base", "base/web/deployment.yaml:14:31", "d"),
                ("overlays/low", "patch", "overlays/low/web.yaml:10:21", REMOVED),
            ],
        ),
        (
            "spec.template.spec.containers[name=web].env[name=C].value",
            [("overlays/low", "patch", "overlays/low/web.yaml:16:18", "3")],
        ),
        (
            "spec.template.spec.containers[0].env[0].value",
            [("base", "base", "base/web/deployment.yaml:20:28", "2")],
        ),
        (
            "spec.template.spec.containers[name=web].env[name=A].value",
            [
                ("base", "base", "base/web/deployment.yaml:19:28", "1"),
                ("overlays/low", "patch", "overlays/low/web.yaml:14:11", REMOVED),
            ],
        ),
        (
            "spec.minReadySeconds",
            [
                ("overlays/prod", "merge", "overlays/prod/patches.yaml:6:22", 5),
                ("overlays/prod", "json6902", "overlays/prod/patches.yaml:12:3", 6),
            ],
        ),
        (
            "spec.template.spec.containers[name=web].args[0]",
            [("overlays/prod", "json6902", "overlays/prod/patches.yaml:13:3", "x")],
        ),
        (
            "spec.template.spec.containers[name=web].image",
            [
                ("base", "base", "base/web/deployment.yaml:17:16", "web:1"),
                ("overlays/prod", "setting", "overlays/prod/environment.yaml:11:11", "web:2"),
            ],
        ),
        ("metadata.namespace", [("overlays/prod", "setting", "overlays/prod/environment.yaml:4:12", "prod")]),
        ("metadata.labels.env", [("overlays/prod", "setting", "overlays/prod/environment.yaml:6:8", "prod")]),
        (
            "metadata.labels.app",
            [
                ("base", "base", "base/web/deployment.yaml:6:10", "web"),
                ("overlays/prod", "setting", "overlays/prod/environment.yaml:7:8", "renamed"),
            ],
        ),
    ],
)
def test_everybody_who_had_a_say(make_project: MakeProject, field: str, expected: list[tuple[str, ...]]) -> None:
    """First to last, with file, line and column; the last one wins."""
    assert says(make_project(FILES), field) == expected


def test_a_map_tells_all_that_is_below_it_and_what_was_removed(make_project: MakeProject) -> None:
    """What is there first, in its order; then what a layer took away."""
    found = origins(make_project(FILES), "spec.template.spec")
    assert [(origin.field.removeprefix("spec.template.spec."), origin.value) for origin in found] == [
        ("containers[name=web].name", "web"),
        ("containers[name=web].image", "web:2"),
        ("containers[name=web].env[name=B].name", "B"),
        ("containers[name=web].env[name=B].value", "2"),
        ("containers[name=web].env[name=C].name", "C"),
        ("containers[name=web].env[name=C].value", "3"),
        ("containers[name=web].args[0]", "x"),
        ("nodeSelector.a", REMOVED),
        ("nodeSelector.c", REMOVED),
        ("containers[name=web].env[name=A].name", REMOVED),
        ("containers[name=web].env[name=A].value", REMOVED),
    ]


@pytest.mark.parametrize(
    "field", ["spec.nothing", "spec.replicas.deeper", "spec.template.spec.containers[name=x]", "x[0]"]
)
def test_what_nobody_ever_said(make_project: MakeProject, field: str) -> None:
    """Neither the result nor a layer knows the field."""
    assert origins(make_project(FILES), field) == []


def test_lists_on_the_way_tell_how_they_merge(make_project: MakeProject) -> None:
    """Each with the rule and where it comes from."""
    [origin] = origins(make_project(FILES), "spec.template.spec.containers[name=web].args[0]")
    assert [(merged.field, merged.how.partition(" (")[0]) for merged in origin.lists] == [
        ("spec.template.spec.containers", "merged by name"),
        ("spec.template.spec.containers[name=web].args", "replaced"),
    ]


@pytest.mark.parametrize("name", ["the example", "the shop"])
def test_the_place_that_counts_is_what_explain_says(make_project: MakeProject, name: str) -> None:
    """Of every field that is there or was, of those around it, and of one that nobody knows."""
    built = Project.open(make_project(FILES) if name == "the example" else SHOP).compile_with_sources("prod")
    api, where = built.composed.api, built.composed.sources.where
    checked = 0
    for resource in built.compiled.resources:
        paths = {origin.path[:length] for origin in explain(resource, (), api, where) for length in range(1, 12)}
        for path in {*paths, *((*path, "nobody") for path in paths)}:
            told = [say.place for origin in explain(resource, path, api, where) for say in origin.says if say.wins]
            assert winning_place(resource, path, api, where) == next(filter(None, told), None), path
            checked += 1
    assert checked > 30


CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  app.properties: |\n{}\n  app.yaml: |\n{}\n"


@pytest.fixture
def texts(make_project: MakeProject) -> Path:
    """A ConfigMap with two texts, changed by two layers."""
    return make_project({
        "base/app/a.yaml": CONFIG.format(
            "    # first\n    a.b=1\n    c=2\n    d=3", "    x:\n      y: [1]\n      z: 2"
        ),
        "overlays/low/a.yaml": CONFIG.format("    c=20", "    x: {z: 20}"),
        "overlays/prod/environment.yaml": environment("extends: [../low]\n"),
        "overlays/prod/a.yaml": CONFIG.format("    e=5\n    d= # envc:remove\n    c=200", "    w: 1"),
    })


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("data.app\\.properties#a.b", "1", [("base", "base/app/a.yaml:7:5", "1")]),
        (
            "data.app\\.properties#c",
            "200",
            [
                ("base", "base/app/a.yaml:8:5", "2"),
                ("overlays/low", "overlays/low/a.yaml:6:5", "20"),
                ("overlays/prod", "overlays/prod/a.yaml:8:5", "200"),
            ],
        ),
        (
            "data.app\\.properties#d",
            REMOVED,
            [("base", "base/app/a.yaml:9:5", "3"), ("overlays/prod", "overlays/prod/a.yaml:7:5", REMOVED)],
        ),
        ("data.app\\.properties#e", "5", [("overlays/prod", "overlays/prod/a.yaml:6:5", "5")]),
        (
            "data.app\\.yaml#x.z",
            20,
            [("base", "base/app/a.yaml:13:5", 2), ("overlays/low", "overlays/low/a.yaml:8:5", 20)],
        ),
        ('data["app.yaml"]#w', 1, [("overlays/prod", "overlays/prod/a.yaml:10:5", 1)]),
    ],
)
def test_keys_of_embedded_files(texts: Path, field: str, value: Any, expected: list[Any]) -> None:
    """With the line inside of the file that holds the text."""
    [origin] = origins(texts, field, "ConfigMap/a")
    assert str(origin.value) == str(value)
    assert [(say.layer, str(say.place), str(say.value)) for say in origin.says] == [
        (layer, place, str(said)) for layer, place, said in expected
    ]


def test_embedded_keys_that_are_not_there(texts: Path) -> None:
    """They are told apart from those that are."""
    assert origins(texts, "data.app\\.properties#nothing", "ConfigMap/a") == []
    assert origins(texts, "data.nothing\\.properties#a", "ConfigMap/a") == []
    [resource] = Project.open(texts).compile("prod").resources
    assert text_keys(resource, ("data", "app.properties")) == ["a.b", "c", "e"]
    assert text_keys(resource, ("data", "nothing.properties")) == []


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_shop_explained_leaf_by_leaf(name: str) -> None:
    """For every field of every resource: the winner said the value that is there, at a line that holds it."""
    project = Project.open(SHOP)
    built = project.compile_with_sources(name)
    lines: dict[str, list[str]] = {}
    checked = 0
    for resource in built.compiled.resources:
        for origin in explain(resource, (), built.composed.api, built.composed.sources.where):
            [winner] = [say for say in origin.says if say.wins]
            assert winner is origin.says[-1]
            assert winner.value == origin.value
            path, _ = parse_field(origin.field)
            pointer = resolve(path, resource.value)
            assert (look_up(resource.value, pointer) if pointer is not None else REMOVED) == origin.value
            if winner.place is None or winner.role == "setting" or winner.note or not isinstance(origin.value, int):
                continue
            if winner.place.file not in lines:
                lines[winner.place.file] = (SHOP / winner.place.file).read_text(encoding="utf-8").splitlines()
            written = lines[winner.place.file][winner.place.line - 1][winner.place.column - 1 :]
            assert written.startswith((str(origin.value), str(origin.value).lower(), "${{")), (origin, written)
            checked += 1
    assert checked > 100
