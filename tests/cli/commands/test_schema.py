"""`envc schema` prints schemas that say what the readers of the settings say; `envc guide` prints its pages."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml

from tests.harness.command import run_envc
from tests.harness.compiled import complaint
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

NAMES = ("project", "environment", "patch")


def schema(name: str) -> dict[str, Any]:
    """The schema that the command prints."""
    outcome = run_envc(None, "schema", name)
    assert (outcome.err, outcome.code) == ("", 0)
    found: dict[str, Any] = json.loads(outcome.out)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_describes_every_key(name: str) -> None:
    """Draft 2020-12; unknown keys are refused; every key has a sentence."""
    found = schema(name)
    jsonschema_rs.meta.validate(found)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for definition in [found, *found.get("$defs", {}).values()]:
        assert definition["additionalProperties"] is False
        for key, described in definition["properties"].items():
            assert described.get("description", "").endswith("."), key


GOOD = (
    "namespace: prod\n",
    "labels: {a: b}\npodLabels: {a: b}\nannotations: {a: b}\npodAnnotations: {a: b}\n",
    "images: [{name: nginx, newTag: '1'}, {name: other, digest: 'sha256:" + "0" * 64 + "'}]\n",
    "replicas: {web: 3}\nparams: {a: 1, b: {c: [1]}}\nkubernetesVersion: '1.34'\nconfigMerge: replace\n",
    "rollout: reloader\nsyncWaves: true\nsecretBackend: external\nexternalSecrets: {store: vault}\n",
    "cluster: {context: a, server: b}\nowners: ['@a']\nexclude: [{kind: ConfigMap, name: a-*}]\nforceNamespace: true\n",
)
BAD = (
    "namspace: prod\n",
    "labels: [a]\n",
    "labels: {a: 1}\n",
    "images: [{newTag: '1'}]\n",
    "images: [{name: a, newTag: 1}]\n",
    "replicas: {web: three}\n",
    "replicas: {web: 1.5}\n",
    "rollout: always\n",
    "syncWaves: yes please\n",
    "exclude: [{kinds: a}]\n",
    "abstract: 1\n",
    "extends: ../a\n",
)


@pytest.mark.parametrize("settings", [*GOOD, *BAD])
def test_an_editor_and_a_build_agree(make_project: MakeProject, settings: str) -> None:
    """What the schema takes, a build reads; what it marks, a build refuses."""
    text = environment(settings)
    root = make_project({"base/web/deployment.yaml": deployment(), "overlays/prod/environment.yaml": text})
    valid = jsonschema_rs.validator_for(schema("environment")).is_valid(yaml.safe_load(text))
    refused = "overlays/prod/environment.yaml" in complaint(root)
    named_in_vain = "which no container uses" in complaint(root) or "leaves nothing out" in complaint(root)
    assert valid is (settings in GOOD)
    assert (not refused or named_in_vain) is valid


def test_an_unknown_schema() -> None:
    """Wrong usage, with the nearest name."""
    outcome = run_envc(None, "schema", "environments")
    assert outcome.err == "error: there is no schema `environments`\nhint: did you mean `environment`?\n"
    assert outcome.code == 2


def test_the_guide_lists_its_pages() -> None:
    """Name and title, and each can be printed as it is shipped."""
    outcome = run_envc(None, "guide")
    names = [line.split()[0] for line in outcome.out.splitlines()]
    folder = resources.files("envcompile") / "guide"
    assert names == sorted(page.name.removesuffix(".md") for page in folder.iterdir() if page.name.endswith(".md"))
    for name in names:
        assert run_envc(None, "guide", name).out == (folder / f"{name}.md").read_text(encoding="utf-8")


def test_an_unknown_page() -> None:
    """Wrong usage, with the nearest name."""
    outcome = run_envc(None, "guide", "compositon")
    assert (
        outcome.err == "error: the guide has no page `compositon`\nhint: did you mean `composition` or `compliance`?\n"
    )
    assert outcome.code == 2
