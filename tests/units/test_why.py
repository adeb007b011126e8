"""`envc build --why` names what changed as people know it, for every kind of input of a unit."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.units.why import API, ENVC, SETTINGS, changed_names, parts_of
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, git, write_files
from tests.laws import documents

if TYPE_CHECKING:
    from pathlib import Path

JSONNET: Final = """\
local library = import 'library.libsonnet';
{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'made'}, data: {text: library.text}}
"""
GENERATE: Final = """\
apiVersion: envcompile.dev/v1
kind: Generate
metadata: {name: generated}
configMap: {files: [start.sh]}
"""
OWN: Final = f"params: {{color: red}}\nextends: [../common]\nsealing: {{fingerprint: '{documents.FINGERPRINT}'}}\n"
FILES: Final = {
    "envc.yaml": "crds: [crds]\n",
    "crds/gadget.yaml": documents.definition("Gadget", Random(2)),
    "lib/library.libsonnet": "{text: importstr 'text.txt'}\n",
    "lib/text.txt": "hello\n",
    "base/web/map.yaml": config_map("web", color="${{ params.color }}"),
    "base/web/generate.yaml": GENERATE,
    "base/web/start.sh": "echo\n",
    "base/api/made.jsonnet": JSONNET,
    "base/api/secret.yaml": documents.secret("web", Random(1)),
    "overlays/common/environment.yaml": environment("abstract: true\n"),
    "overlays/common/web.yaml": config_map("web", more="text"),
    "overlays/prod/environment.yaml": environment(f"namespace: prod\n{OWN}"),
    "overlays/prod/sealed.yaml": documents.sealed_store(["web"], ["prod"], Random(5)),
}
WEB: Final = "web"
MADE: Final = "api"


def everywhere(name: str) -> dict[str, list[str]]:
    """Both applications are compiled because of it."""
    return {WEB: [name], MADE: [name]}


EDITS: Final = {
    "a file of base": ("base/web/map.yaml", "data:", "data:\n  key: text", {WEB: ["base/web/map.yaml"]}),
    "a file of a parent": ("overlays/common/web.yaml", "text", "other", {WEB: ["overlays/common/web.yaml"]}),
    "a library": ("lib/library.libsonnet", "text:", "other: 1, text:", {MADE: ["lib/library.libsonnet"]}),
    "a text that a library imports": ("lib/text.txt", "hello", "bye", {MADE: ["lib/text.txt"]}),
    "a file that a generator reads": ("base/web/start.sh", "echo", "ls", {WEB: ["base/web/start.sh"]}),
    "a parameter": ("overlays/prod/environment.yaml", "red", "blue", everywhere("setting params")),
    "a setting": (
        "overlays/prod/environment.yaml",
        "namespace",
        "labels: {a: b}\nnamespace",
        everywhere("setting labels"),
    ),
    "a setting of a parent": (
        "overlays/common/environment.yaml",
        "abstract",
        "annotations: {a: b}\nabstract",
        everywhere("setting annotations"),
    ),
    "a setting of the project": (
        "envc.yaml",
        "crds",
        "configMerge: replace\ncrds",
        everywhere("configMerge"),
    ),
    "the version of the API": (
        "envc.yaml",
        "crds",
        "kubernetesVersion: '1.34'\ncrds",
        everywhere("Kubernetes version"),
    ),
    "merge keys": (
        "envc.yaml",
        "crds",
        "mergeKeys: [{kind: Other, group: laws.example.com, path: spec.parts, keys: [name]}]\ncrds",
        everywhere("mergeKeys"),
    ),
    "a definition": (
        "crds/gadget.yaml",
        "size: {type: integer",
        "size: {type: number",
        everywhere("definition of gadgets.laws.example.com"),
    ),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that was built."""
    root = write_files(tmp_path / "project", FILES)
    git(root, "init", "--quiet")
    outcome = run_envc(root, "build")
    assert outcome.code == 0, outcome.err
    return root


def changed(root: Path) -> dict[str, list[str]]:
    """For each application that is compiled the inputs that changed, as it is said."""
    outcome = run_envc(root, "build", "--why", "--format", "json")
    assert outcome.code == 0, outcome.err
    return {unit["application"]: unit["changed"] for unit in json.loads(outcome.out)["units"] if unit["compiled"]}


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_edited_is_named(root: Path, edit: str) -> None:
    """A file, an import of an import, one setting, one definition: not the file that only reads it."""
    path, old, new, expected = EDITS[edit]
    before = FILES[path]
    assert old in before
    write_files(root, {path: before.replace(old, new, 1)})
    assert changed(root) == expected


def test_sealed_values_are_named(root: Path) -> None:
    """The one application with Secrets."""
    write_files(root, {"overlays/prod/sealed.yaml": documents.sealed_store(["web"], ["prod"], Random(6))})
    assert changed(root) == {MADE: ["sealed values"]}


def test_files_that_come_and_go_are_named(root: Path) -> None:
    """A nearer library with all that it takes the place of."""
    write_files(root, {"base/web/more.yaml": config_map("more"), "base/api/library.libsonnet": "{text: 'near'}"})
    found = changed(root)
    assert found[WEB] == ["base/web/more.yaml"]
    assert "base/api/library.libsonnet" in found[MADE]
    assert "base/api/made.jsonnet" not in found[MADE]
    (root / "base/web/more.yaml").unlink()
    assert changed(root) in ({}, {WEB: ["base/web/more.yaml"]})


def test_another_envc_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every unit is compiled anew, and that its own code is another one is the reason."""
    monkeypatch.setattr("envcompile.units.snapshot.tool_stamp", lambda: "another")
    monkeypatch.setattr("envcompile.units.tool.package_digest", lambda: "0" * 64)
    write_files(root, {"base/web/map.yaml": config_map("web", color="other")})
    found = changed(root)
    assert found == {WEB: [ENVC], MADE: [ENVC]}


def test_what_is_not_known_is_told_by_the_nearest_name() -> None:
    """Where nothing is remembered of what a digest is made of, the file or the group is named."""
    before = {"a.jsonnet": "1", "b.yaml": "1", SETTINGS: "s1", API: "k"}
    reads = parts_of("a.jsonnet", {"a.jsonnet": "x", "library": "y"})
    now = {"a.jsonnet": "2", "b.yaml": "2", SETTINGS: "s2", API: "k", **reads}
    assert changed_names(before, now, {}, {"s2": {"setting labels": "1"}}) == ("a.jsonnet", "b.yaml", SETTINGS)
