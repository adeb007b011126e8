"""A build of what a few changed files reach gives exactly what a build of everything gives."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from envcompile.actions import slices
from envcompile.actions.build import build
from envcompile.actions.freshness import Look
from envcompile.actions.project import Project
from envcompile.actions.slices import build_slice

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{team: {team}}}
spec:
  replicas: {number}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - {{name: app, image: "example.com/{name}:{number}"}}
"""
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data:
  app.properties: |
    number={number}
    same=1
"""
PATCH = """apiVersion: envcompile.dev/v1
kind: Patch
target: {kind: Deployment, labelSelector: team=red}
merge: {spec: {revisionHistoryLimit: 3}}
"""
SETTINGS = """apiVersion: envcompile.dev/v1
kind: Environment
namespace: {name}
images: [{{name: example.com/web, newTag: stable}}]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three services in two environments, with a Patch by label and images."""
    root = tmp_path / "repository"
    for name in ("web", "api", "jobs"):
        write(root, f"base/{name}/deployment.yaml", DEPLOYMENT.format(name=name, team="blue", number=1))
        write(root, f"base/{name}/config.yaml", CONFIG.format(name=name, number=1))
    for name in ("dev", "prod"):
        write(root, f"overlays/{name}/environment.yaml", SETTINGS.format(name=name))
        write(root, f"overlays/{name}/everywhere.yaml", PATCH.replace("target:", "optional: true\ntarget:"))
        write(root, f"overlays/{name}/web.yaml", CONFIG.format(name="web", number=2))
    full_build(root)
    return root


def write(root: Path, path: str, text: str) -> None:
    """Write a source file; its time is put into the past, as after a coffee."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    clock = target.stat().st_mtime_ns - 10_000_000_000 + random.randrange(10**9)
    os.utime(target, ns=(clock, clock))


def full_build(root: Path, output: Path | None = None) -> None:
    """Build everything."""
    build(Project.open(root), (), output=output)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sliced(root: Path) -> bool:
    """Build the way the command does; whether a slice was enough."""
    done = build_slice(Look(str(root), f"{root}/environments"))
    if done is None:
        full_build(root)
    return done is not None


def assert_equals_full_build(root: Path) -> None:
    """Hold the output against one that is built from nothing."""
    fresh = root.parent / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    full_build(root, fresh)
    assert contents(root / "environments") == contents(fresh)


def test_a_changed_value_is_built_as_a_slice(repository: Path) -> None:
    """One file's change does not build the rest, and reaches every environment."""
    write(repository, "base/web/config.yaml", CONFIG.format(name="web", number=7))
    assert sliced(repository)
    assert_equals_full_build(repository)


def test_a_change_of_a_label_lets_a_patch_hit(repository: Path) -> None:
    """A Patch that selects by label sees the new label."""
    write(repository, "base/api/deployment.yaml", DEPLOYMENT.format(name="api", team="red", number=1))
    assert sliced(repository)
    text = (repository / "environments/prod/api/deployment-api.yaml").read_text()
    assert "revisionHistoryLimit: 3" in text
    assert_equals_full_build(repository)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("base/web/config.yaml", CONFIG.format(name="web2", number=1)),
        ("base/web/config.yaml", CONFIG.format(name="web", number=1) + "---\n" + CONFIG.format(name="more", number=1)),
        ("base/web/new.yaml", CONFIG.format(name="new", number=1)),
        ("overlays/prod/everywhere.yaml", PATCH.replace("labelSelector: team=red", "name: web")),
        ("overlays/prod/environment.yaml", SETTINGS.format(name="other")),
    ],
    ids=["renamed", "another document", "another file", "patch", "settings"],
)
def test_whatever_reaches_further_is_built_whole(repository: Path, path: str, text: str) -> None:
    """A slice gives up where other resources could be concerned."""
    if "web2" in text:
        for name in ("dev", "prod"):
            (repository / f"overlays/{name}/web.yaml").unlink()
        full_build(repository)
    write(repository, path, text)
    assert not sliced(repository)
    assert_equals_full_build(repository)


def test_an_output_edited_by_hand_is_left_to_the_whole_build(repository: Path) -> None:
    """A slice never overwrites what somebody changed."""
    (repository / "environments/prod/web/configmap-web.yaml").write_text("mine\n")
    write(repository, "base/web/config.yaml", CONFIG.format(name="web", number=7))
    assert build_slice(Look(str(repository), f"{repository}/environments")) is None


def test_random_edits_always_end_where_a_whole_build_does(repository: Path) -> None:
    """Fifty edits of all kinds, each built as the command would build it."""
    chance = random.Random(7)
    names = ["web", "api", "jobs"]
    slices_seen = 0
    for step in range(50):
        name = chance.choice(names)
        kind = chance.choice(["value", "value", "value", "team", "overlay", "drop", "extra"])
        if kind == "value":
            write(repository, f"base/{name}/config.yaml", CONFIG.format(name=name, number=step))
        elif kind == "team":
            team = chance.choice(["red", "blue"])
            write(repository, f"base/{name}/deployment.yaml", DEPLOYMENT.format(name=name, team=team, number=step))
        elif kind == "overlay":
            environment = chance.choice(["dev", "prod"])
            write(repository, f"overlays/{environment}/{name}.yaml", CONFIG.format(name=name, number=step))
        elif kind == "drop":
            (repository / f"overlays/dev/{name}.yaml").unlink(missing_ok=True)
        else:
            write(repository, f"base/{name}/extra.yaml", CONFIG.format(name=f"{name}-extra", number=step))
        slices_seen += sliced(repository)
        assert_equals_full_build(repository)
    assert slices_seen > 10


def test_many_changed_files_are_built_whole(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a size a slice saves nothing."""
    monkeypatch.setattr(slices, "MOST_FILES", 0)
    write(repository, "base/web/config.yaml", CONFIG.format(name="web", number=7))
    assert not sliced(repository)
