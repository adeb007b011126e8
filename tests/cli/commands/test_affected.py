"""`envc affected` names what a change of files touches, from what each build really read."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.x.io}
spec: {group: x.io, names: {kind: Foo, plural: foos}, scope: Namespaced, versions: []}
"""
DELETION = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n$patch: delete\n"
DELETING_PATCH = "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {name: old-*}\nmerge: {$patch: delete}\n"
FILES = {
    ".gitignore": ".envc/\n",
    "README.md": "words\n",
    "envc.yaml": "crds: [crds]\n",
    "crds/foo.yaml": CRD,
    "base/web/deployment.yaml": deployment(),
    "base/web/config.yaml": config_map(),
    "base/web/old.yaml": config_map("old-one"),
    "base/j/map.jsonnet": "local x = import 'x.libsonnet'; x.map('j')\n",
    "lib/x.libsonnet": """\
{ map(n):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: n }, data: { a: importstr 'text.txt' } } }
""",
    "lib/text.txt": "hello\n",
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    "overlays/prod/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
    "overlays/prod/settings.yaml": DELETION,
    "overlays/prod/old.yaml": DELETING_PATCH,
}
WEB, SETTINGS, OLD, JSONNET = "Deployment.apps/web", "ConfigMap/settings", "ConfigMap/old-one", "ConfigMap/j"
IN_DEV = {("dev", name) for name in (WEB, SETTINGS, OLD, JSONNET)}
IN_PROD = {("prod", name) for name in (WEB, JSONNET)}


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A committed project of two environments."""
    root = make_project(FILES)
    commit(root)
    return root


def affected(root: Path, *arguments: str) -> set[tuple[str, str]]:
    """The pairs of environment and resource that the command prints."""
    outcome = run_envc(root, "affected", *arguments)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ("" if outcome.out else "nothing is affected\n")
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    return {(name, resource.partition(" (namespace")[0]) for name, resource in rows}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("base/web/deployment.yaml", {("dev", WEB), ("prod", WEB)}),
        ("overlays/prod/web.yaml", {("prod", WEB)}),
        ("base/j/map.jsonnet", {("dev", JSONNET), ("prod", JSONNET)}),
        ("lib/x.libsonnet", {("dev", JSONNET), ("prod", JSONNET)}),
        ("lib/text.txt", {("dev", JSONNET), ("prod", JSONNET)}),
        ("overlays/prod/environment.yaml", IN_PROD),
        ("overlays/prod/settings.yaml", {("prod", SETTINGS)}),
        ("overlays/prod/old.yaml", {("prod", OLD), *IN_PROD}),  # its target is a value as any other
        ("envc.yaml", IN_DEV | IN_PROD),
        ("crds/foo.yaml", IN_DEV | IN_PROD),
        ("base/web", IN_DEV - {("dev", JSONNET)} | {("prod", WEB)}),
        ("overlays/dev/", IN_DEV),
        ("README.md", set()),
    ],
)
def test_one_path(project: Path, path: str, expected: set[tuple[str, str]]) -> None:
    """Sources, settings, imports of jsonnet at any depth, patches that remove, whole folders."""
    assert affected(project, path) == expected


def test_paths_are_relative_to_where_one_stands(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell completes them; absolute ones, too."""
    monkeypatch.chdir(project / "overlays" / "prod")
    assert run_envc(None, "affected", "web.yaml").out == "prod\tDeployment.apps/web (namespace prod)\n"
    assert run_envc(None, "affected", "../../base/web/config.yaml").out == "dev\tConfigMap/settings (namespace dev)\n"
    assert run_envc(None, "affected", str(project / "overlays/prod/web.yaml")).code == 0


def test_uncommitted_changes_are_the_default(project: Path) -> None:
    """Edited, new, removed and renamed files; untouched ones are none."""
    assert affected(project) == set()
    (project / "base/web/config.yaml").write_text(config_map(color="red"))
    assert affected(project) == {("dev", SETTINGS)}
    (project / "base/web/new.yaml").write_text(config_map("new"))
    assert affected(project) == {("dev", SETTINGS), ("dev", "ConfigMap/new"), ("prod", "ConfigMap/new")}
    (project / "overlays/prod/web.yaml").unlink()
    assert ("prod", WEB) in affected(project)
    commit(project)
    assert affected(project) == set()
    os.rename(project / "base/web/deployment.yaml", project / "base/web/renamed.yaml")  # ruff: ignore[os-rename]
    assert affected(project) == set()  # the same resource from another file


def test_from_a_commit(project: Path) -> None:
    """What only that commit has is looked up there."""
    (project / "base/web/config.yaml").unlink()
    (project / "overlays/prod/settings.yaml").unlink()
    commit(project)
    assert affected(project) == set()
    assert affected(project, "--from", "HEAD~1") == {("dev", SETTINGS)}  # prod never had it
    # Of a file by name it is a bound: with another name in that file, prod's deletion would have no target.
    assert affected(project, "--from", "HEAD~1", "base/web/config.yaml") == {("dev", SETTINGS), ("prod", SETTINGS)}


def test_an_environment_that_is_gone(project: Path) -> None:
    """All that it had is affected."""
    shutil.rmtree(project / "overlays/dev")
    assert affected(project) == IN_DEV


def test_a_checksum_carries_a_change_on_to_the_workloads(make_project: MakeProject) -> None:
    """`rollout: checksum` writes what a ConfigMap holds into the pods that read it."""
    reading = deployment() + "        envFrom: [{configMapRef: {name: settings}}]\n"
    root = make_project({
        "base/web/deployment.yaml": reading,
        "base/web/other.yaml": deployment("other"),
        "base/web/config.yaml": config_map(),
        "overlays/dev/environment.yaml": environment(),
        "overlays/prod/environment.yaml": environment("rollout: checksum\n"),
        "overlays/prod/config.yaml": config_map(color="red"),
    })
    assert affected(root, "base/web/config.yaml") == {("dev", SETTINGS), ("prod", SETTINGS), ("prod", WEB)}
    assert affected(root, "overlays/prod/config.yaml") == {("prod", SETTINGS), ("prod", WEB)}
    assert affected(root, "base/web/deployment.yaml") == {("dev", WEB), ("prod", WEB)}


@pytest.mark.parametrize("path", [path for path in FILES if path.startswith(("base", "overlays", "lib"))])
def test_the_answer_is_what_really_changes(project: Path, path: str) -> None:
    """Whatever a removed file changes in the compiled result was foretold."""
    from envcompile import EnvcError, Project

    def compiled() -> dict[tuple[str, str], str]:
        opened = Project.open(project)
        return {
            (
                name,
                f"{resource.id.kind}{'.' + resource.id.group if resource.id.group else ''}/{resource.id.name}",
            ): repr(resource.value)
            for name in opened.environments
            for resource in opened.compile(name).resources
        }

    before, foretold = compiled(), affected(project, path)
    (project / path).unlink()
    try:
        after = compiled()
    except EnvcError:
        return
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed <= foretold


def test_json_for_machines(project: Path) -> None:
    """Environment -> identities."""
    outcome = run_envc(project, "affected", "--format", "json", "overlays/prod/web.yaml")
    assert json.loads(outcome.out)["environments"] == {
        "prod": [{"group": "apps", "kind": "Deployment", "namespace": "prod", "name": "web"}]
    }
    assert json.loads(run_envc(project, "affected", "--format", "json", "README.md").out)["environments"] == {}


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (("/etc/passwd",), "/etc/passwd is not in the repository <root>", "name files below it"),
        (("../x",), "../x is not in the repository <root>", "name files below it"),
        (("lib/txt.tx",), "there is no file lib/txt.tx", "did you mean `lib/text.txt`?"),
        (
            ("--from", "nope"),
            "git knows no revision `nope`",
            "name a branch, a tag or a commit that this repository holds",
        ),
        (("--format", "jsn"), "--format cannot be `jsn`", "did you mean `json`?"),
    ],
)
def test_what_cannot_be_answered(
    project: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], what: str, fix: str
) -> None:
    """Wrong usage, exit 2."""
    monkeypatch.chdir(project)
    outcome = run_envc(None, "affected", *arguments)
    assert outcome.err.replace(str(project), "<root>") == f"error: {what}\nhint: {fix}\n"
    assert outcome.code == 2


def test_without_git_the_files_must_be_named(make_project: MakeProject) -> None:
    """A folder that is no repository still answers for files."""
    root = make_project(FILES)
    assert affected(root, "overlays/prod/web.yaml") == {("prod", WEB)}
    outcome = run_envc(root, "affected")
    assert outcome.code == 2
    assert outcome.err == "error: not a git repository\nhint: `git init` and commit first\n"


def test_without_the_program_git(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Something outside is missing: exit 4."""
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = run_envc(project, "affected")
    assert outcome.err == "error: git is not installed\nhint: install git\n"
    assert outcome.code == 4
