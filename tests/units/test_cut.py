"""Every document and every patch goes to the unit of the resource that it speaks of, however environments share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.compose.targets import may_reach
from envcompile.units.project import Project
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from envcompile.compose.targets import Globs
    from envcompile.model import ResourceId
    from envcompile.units.plan import EnvironmentPlan
    from tests.conftest import MakeProject

PATCH = """apiVersion: envcompile.dev/v1
kind: Patch
target: {kind: Deployment, namespace: %s}
merge: {metadata: {labels: {patched: "yes"}}}
"""


def parts(plan: EnvironmentPlan) -> dict[str, list[tuple[str, int, int]]]:
    """For each unit its files, with the numbers of documents and of patches that they give."""
    return {
        unit.app: [(part.path, len(part.documents), len(part.patches)) for part in unit.parts] for unit in plan.units
    }


def test_a_file_that_patches_two_applications_belongs_to_both_document_by_document(make_project: MakeProject) -> None:
    """Each unit is given its own document of the shared file."""
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "base/api/deployment.yaml": deployment("api"),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/both.yaml": f"{deployment()}---\n{deployment('api')}",
    })
    found = parts(Project.open(root).plan("prod"))
    assert found == {
        "api": [("base/api/deployment.yaml", 1, 0), ("overlays/prod/both.yaml", 1, 0)],
        "web": [("base/web/deployment.yaml", 1, 0), ("overlays/prod/both.yaml", 1, 0)],
    }


def test_a_document_that_writes_the_namespace_of_one_environment_is_another_resource_in_the_others(
    make_project: MakeProject,
) -> None:
    """Environments share their base only where that makes no difference."""
    placed = config_map().replace("name: settings", "name: settings\n  namespace: prod")
    root = make_project({
        "base/web/config.yaml": config_map(),
        "base/other/config.yaml": placed,
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        "overlays/test/environment.yaml": environment("namespace: test\nforceNamespace: true\n"),
    })
    project = Project.open(root)
    apart = {"other": [("base/other/config.yaml", 1, 0)], "web": [("base/web/config.yaml", 1, 0)]}
    joined = {"other": [("base/other/config.yaml", 1, 0), ("base/web/config.yaml", 1, 0)]}
    assert [parts(project.plan(name)) for name in ("dev", "prod", "test")] == [apart, joined, joined]


def test_a_patch_of_the_base_that_names_a_namespace_reaches_only_the_environment_that_has_it(
    make_project: MakeProject,
) -> None:
    """The base is cut anew for each namespace that a patch may ask for."""
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "base/web/patch.yaml": PATCH % "prod",
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    project = Project.open(root)
    assert parts(project.plan("dev"))["web"] == [("base/web/deployment.yaml", 1, 0)]
    assert parts(project.plan("prod"))["web"] == [("base/web/deployment.yaml", 1, 0), ("base/web/patch.yaml", 0, 1)]


def test_a_unit_keeps_its_key_when_another_application_changes(make_project: MakeProject) -> None:
    """Only the unit of the changed file has another key."""
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "base/api/deployment.yaml": deployment("api"),
        "overlays/prod/environment.yaml": environment(),
    })
    before = {unit.app: unit.key for unit in Project.open(root).plan("prod").units}
    (root / "base/api/deployment.yaml").write_text(f"{deployment('api')}# a note\n")
    after = {unit.app: unit.key for unit in Project.open(root).plan("prod").units}
    assert before["web"] == after["web"]
    assert before["api"] != after["api"]


@pytest.mark.parametrize("name", ["app-0%s", "app-0%s*", "*-0%s", "a*-0%s", "[a]pp-0%s"])
def test_a_patch_is_held_against_the_resources_that_its_name_can_mean(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Many patches of many resources are no product of both, also where names are globs."""
    numbers = [f"{number:03}" for number in range(200)]
    target = "target: {kind: Deployment, namespace: %s}"
    patch = PATCH.replace(target, f"target: {{kind: Deployment, name: '{name}'}}")
    asked: list[ResourceId] = []

    def counted(target: Globs, identity: ResourceId) -> bool:
        asked.append(identity)
        return may_reach(target, identity)

    monkeypatch.setattr("envcompile.units.cut.may_reach", counted)
    root = make_project({
        **{f"base/app-0{number}/deployment.yaml": deployment(f"app-0{number}") for number in numbers},
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/patches.yaml": "---\n".join(patch % number for number in numbers),
    })
    found = parts(Project.open(root).plan("prod"))
    assert {len(unit) for unit in found.values()} == {2}
    assert {unit[1] for unit in found.values()} == {("overlays/prod/patches.yaml", 0, 1)}
    assert len(asked) == len(numbers)
