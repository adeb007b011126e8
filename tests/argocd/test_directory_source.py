"""The shop's compiled environments keep the rules by which Argo CD reads a folder.

Source: argo-cd v3.6.1, reposerver/repository/repository.go (`findManifests`, `manifestFile`), util/app/discovery.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envcompile.yamlio import load_all

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
FOLDERS = sorted(path for path in ENVIRONMENTS.iterdir() if (path / ".envc-index").is_file() and path.name != "chart")
READ = re.compile(r"^.*\.(yaml|yml|json|jsonnet)$")
MOST_BYTES = 10_000_000


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_an_environment_is_a_directory_source_as_it_stands(folder: Path) -> None:
    """Every file that Argo CD reads is one resource; it takes the folder for neither a chart nor a kustomization."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    read = [path for path in files if READ.match(path.name)]
    assert read
    assert {path.name for path in files if path not in read} <= {".envc-index"}
    assert not [path for path in files if path.name in {"Chart.yaml", "kustomization.yaml", "kustomization.yml"}]
    assert not [path for path in files if path.suffix == ".jsonnet" or path.is_symlink()]
    assert sum(path.stat().st_size for path in read) < MOST_BYTES
    for path in read:
        (value,) = load_all(path.read_bytes(), path.name)
        assert {"apiVersion", "kind", "metadata"} <= value.keys()
        assert "argocd.argoproj.io/tracking-id" not in (value["metadata"].get("annotations") or {})
        assert b"+argocd:skip-file-rendering" not in path.read_bytes()


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_every_file_of_an_environment_is_in_an_application_folder(folder: Path) -> None:
    """The ApplicationSet makes one Application for each folder: a file beside them would belong to none."""
    assert not [path.name for path in folder.iterdir() if path.is_file() and READ.match(path.name)]
