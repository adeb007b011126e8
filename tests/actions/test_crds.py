"""`envc crds add`: definitions from files and clusters tell of custom kinds, and are deployed nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.crds import definitions_of_cluster, trimmed
from envcompile.errors import UnavailableError
from tests.harness.command import run_envc
from tests.harness.repository import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

WIDGET = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
  uid: 1b4e28ba
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: A widget.
        properties:
          spec:
            type: object
            properties:
              description: {type: string, description: Its words.}
              size: {type: integer}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {type: object, required: [name], properties: {name: {type: string}, count: {type: integer}}}
status: {}
"""
RESOURCE = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: web}
spec: {size: 1, parts: [{name: a, count: 1}, {name: b, count: 2}]}
"""
PATCH = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: web}
spec: {parts: [{name: b, count: 3}]}
"""


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A project with a custom resource that is patched, and a definition outside of its layers."""
    return make_project({
        "envc.yaml": "# ours\nenvironments: [dev]\n",
        "base/a/widget.yaml": RESOURCE,
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/dev/widget.yaml": PATCH,
        "downloads/widgets.yaml": WIDGET,
    })


def test_lists_merge_and_fields_are_known_by_a_file(project: Path) -> None:
    """The definition is kept without descriptions, envc.yaml names the folder, and nothing of it is deployed."""
    assert "name: a" not in run_envc(project, "show", "dev").out
    outcome = run_envc(project, "crds", "add", str(project / "downloads/widgets.yaml"))
    assert (outcome.code, outcome.out) == (0, "new crds/widgets.example.com.yaml\n")
    assert (project / "envc.yaml").read_text() == "# ours\nenvironments: [dev]\ncrds:\n- crds\n"
    kept = (project / "crds/widgets.example.com.yaml").read_text()
    assert "A widget" not in kept
    assert "Its words" not in kept
    assert "uid" not in kept
    assert "description:" in kept, "a field of that name stays"
    shown = run_envc(project, "show", "dev").out
    assert "name: a" in shown
    assert "count: 3" in shown
    assert "CustomResourceDefinition" not in shown
    (project / "base/a/widget.yaml").write_text(RESOURCE.replace("size: 1", "siez: 1"))
    checked = run_envc(project, "check")
    assert "error schema: `siez` is not a field of Widget.example.com spec: did you mean `size`?" in checked.out


def test_a_second_time_changes_nothing(project: Path) -> None:
    """What is the same is called so; another one is written over it."""
    file = project / "downloads/widgets.yaml"
    run_envc(project, "crds", "add", str(file))
    before = (project / "envc.yaml").read_text()
    assert run_envc(project, "crds", "add", str(file)).out == "same crds/widgets.example.com.yaml\n"
    file.write_text(WIDGET.replace("size: {type: integer}", "size: {type: string}"))
    assert run_envc(project, "crds", "add", str(file)).out == "changed crds/widgets.example.com.yaml\n"
    assert (project / "envc.yaml").read_text() == before


def test_what_is_no_definition_is_refused(project: Path) -> None:
    """A file without one, a file that is not there, nothing at all, and a name that leads elsewhere."""
    assert run_envc(project, "crds", "add", str(project / "base/a/widget.yaml")).code == 2
    assert run_envc(project, "crds", "add", str(project / "nowhere.yaml")).code == 2
    assert run_envc(project, "crds", "add").code == 2
    (project / "bad.yaml").write_text(WIDGET.replace("widgets.example.com", "../../x"))
    outcome = run_envc(project, "crds", "add", str(project / "bad.yaml"))
    assert outcome.code == 1
    assert "is called `../../x`" in outcome.err


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("versions:", "other: 1\n  versions: {}\n  rest:", "`spec.versions` is no list of versions"),
        ("- name: v1", "- called: v1", "`spec.versions[0]` has no name"),
        ("    schema:", "    schema: x\n    rest:", "`spec.versions[0].schema` is no map"),
        (
            "openAPIV3Schema:",
            "openAPIV3Schema: [x]\n      rest:",
            "`spec.versions[0].schema.openAPIV3Schema` is no map",
        ),
    ],
)
def test_a_definition_that_tells_nothing_is_named(project: Path, before: str, after: str, said: str) -> None:
    """What is wrong in it; nothing is written."""
    (project / "broken.yaml").write_text(WIDGET.replace(before, after, 1), encoding="utf-8")
    outcome = run_envc(project, "crds", "add", str(project / "broken.yaml"))
    assert outcome.code == 1
    assert said in outcome.err
    assert not (project / "crds").exists()


def test_a_list_without_items_is_no_definition(project: Path) -> None:
    """Whatever stands in their place."""
    (project / "broken.yaml").write_text("apiVersion: v1\nkind: List\nitems: 5\n", encoding="utf-8")
    assert run_envc(project, "crds", "add", str(project / "broken.yaml")).code == 2


def test_a_cluster_is_asked_page_by_page() -> None:
    """Its list has items without a kind, as lists of the API have; one that tells of no kind is passed over."""

    def item(name: str, **other: Any) -> dict[str, Any]:
        spec = {"group": "b.c", "names": {"kind": name.title()}, "versions": [{"name": "v1"}]}
        return {"metadata": {"name": name}, "spec": {**spec, **other}}

    pages: dict[str, Any] = {
        "?limit=10": {"items": [item("a"), item("x", versions="v1")], "metadata": {"continue": "t o"}},
        "?limit=10&continue=t%20o": {"items": [item("b"), item("y", names=None)], "metadata": {}},
    }
    found = definitions_of_cluster(lambda path: json.dumps(pages[path[path.index("?") :]]).encode())
    assert [(each["kind"], each["metadata"]["name"]) for each in found] == [
        ("CustomResourceDefinition", "a"),
        ("CustomResourceDefinition", "b"),
    ]
    with pytest.raises(UnavailableError):
        list(definitions_of_cluster(lambda _: b'{"items": [3], "metadata": {}}'))
    with pytest.raises(UnavailableError):
        list(definitions_of_cluster(lambda _: b"<html>"))


def test_a_trimmed_definition_says_what_the_whole_one_says() -> None:
    """Markers, rules and bounds stay."""
    schema = {"type": "object", "x-kubernetes-validations": [{"rule": "true"}], "description": "x", "maxProperties": 3}
    spec = {"group": "a.b", "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}
    kept = trimmed({"apiVersion": "v", "kind": "k", "metadata": {"name": "n", "uid": "u"}, "spec": spec})
    assert kept["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == {
        "type": "object",
        "x-kubernetes-validations": [{"rule": "true"}],
        "maxProperties": 3,
    }
    assert kept["metadata"] == {"name": "n"}
