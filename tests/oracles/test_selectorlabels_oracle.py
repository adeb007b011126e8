"""`selectorLabels` with the real kustomize: what its `includeSelectors` makes, and how such labels come over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.adopt import from_kustomize
from envcompile.yamlio import load_all
from tests.compose.test_selectorlabels import OBJECTS
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, write_files
from tests.oracles.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

PAIRS = "labels: [{includeSelectors: true, pairs: {variant: %s}}]\n"


def by_identity(text: str) -> dict[tuple[str, str], Any]:
    """The objects of a text by kind and name."""
    return {(each["kind"], each["metadata"]["name"]): each for each in load_all(text.encode(), "printed") if each}


def test_the_build_is_what_kustomize_makes_of_include_selectors(
    make_project: MakeProject, tmp_path: Path, kustomize: Path
) -> None:
    """Each kind that kustomize knows of."""
    settings = "selectorLabels: {variant: blue}\n"
    root = make_project({"base/all.yaml": OBJECTS, "overlays/prod/environment.yaml": environment(settings)})
    built = run_envc(root, "show", "prod")
    assert built.code == 0, built.err
    write_files(
        tmp_path / "tree", {"all.yaml": OBJECTS, "kustomization.yaml": "resources: [all.yaml]\n" + PAIRS % "blue"}
    )
    wanted = run(kustomize, "build", str(tmp_path / "tree"))
    assert wanted.ok, wanted.stderr
    assert by_identity(built.out) == by_identity(wanted.stdout)


@pytest.mark.usefixtures("kustomize_on_path")
def test_labels_in_selectors_come_over_as_one_setting(tmp_path: Path) -> None:
    """In the place of a patch a kind; the base is the author's text, and where nothing selects `labels` say it."""
    write_files(tmp_path / "old", {
        "base/kustomization.yaml": "resources: [all.yaml]\n",
        "base/all.yaml": OBJECTS,
        "overlays/dev/kustomization.yaml": "resources: [../../base]\n" + PAIRS % "dev",
        "overlays/prod/kustomization.yaml": "resources: [../../base]\ncommonLabels: {variant: prod}\n",
    })  # fmt: skip
    assert from_kustomize(tmp_path / "old", tmp_path / "new").is_equal
    overlays = {
        path.relative_to(tmp_path / "new/overlays").as_posix(): path.read_text(encoding="utf-8")
        for path in (tmp_path / "new/overlays").rglob("*.yaml")
    }
    assert sorted(overlays) == ["dev/environment.yaml", "prod/environment.yaml"]
    assert "selectorLabels:\n  variant: prod\n" in overlays["prod/environment.yaml"]
    base = [path.read_text(encoding="utf-8") for path in (tmp_path / "new/base").rglob("*.yaml")]
    assert all(any(document in text for text in base) for document in OBJECTS.split("---\n"))
    ejected = run_envc(tmp_path / "new", "eject", str(tmp_path / "out"))
    assert ejected.code == 0, ejected.err
    assert "proven" in ejected.out + ejected.err
    write_files(tmp_path / "plain", {
        "base/kustomization.yaml": "resources: [x.yaml, y.yaml]\n",
        "base/x.yaml": config_map("x"),
        "base/y.yaml": config_map("y"),
        "overlays/dev/kustomization.yaml": "resources: [../../base]\n" + PAIRS % "dev",
        "overlays/prod/kustomization.yaml": "resources: [../../base]\n" + PAIRS % "prod",
    })  # fmt: skip
    assert from_kustomize(tmp_path / "plain", tmp_path / "other").is_equal
    settings = (tmp_path / "other/overlays/prod/environment.yaml").read_text(encoding="utf-8")
    assert "\nlabels:\n  variant: prod\n" in settings
