"""The examples that were brought over from kustomize still come over the same, and still equal what kustomize makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import read_files

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["kustomize-shop", "kustomize-components"])
def test_an_example_comes_over_as_it_did(
    name: str, kustomize: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`envc init . --from-kustomize kustomize`, which proves each object, writes what is committed."""
    monkeypatch.setenv("PATH", f"{kustomize.parent}:/usr/bin:/bin")
    root = tmp_path / name
    shutil.copytree(FOLDER / name / "kustomize", root / "kustomize")
    done = run_envc(None, "init", str(root), "--from-kustomize", str(root / "kustomize"))
    assert done.code == 0, done.err
    assert "proven: the build equals the source" in done.out + done.err
    for folder in ("base", "overlays"):
        assert read_files(root / folder) == read_files(FOLDER / name / folder)
