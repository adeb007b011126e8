"""`envc eject` writes a kustomize tree, and says what it could not see to."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcompile import yamlio
from envcompile.cli import main
from tests.units.test_suffix import CONFIG, project

DEV = {"overlays/dev/environment.yaml": "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: dev\n"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the current one, and nothing on PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_what_environments_share_is_in_base_and_what_differs_is_a_patch(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each overlay names base, its namespace, its own objects and its patches; without kustomize that is said."""
    config = CONFIG.format(name="c", mark="labels: {a: b}")
    own = CONFIG.format(name="own", mark="labels: {a: b}")
    patch = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {B: '2'}\n"
    project(here, {**DEV, "base/x/c.yaml": config, "overlays/prod/c.yaml": patch, "overlays/prod/own.yaml": own}, "")
    assert main(["eject", "out"]) == 0
    told = capsys.readouterr()
    assert told.out == "6 files in out\n"
    assert "neither kustomize nor kubectl is on PATH" in told.err
    read = {
        path.relative_to("out").as_posix(): yamlio.load_all(path.read_bytes(), "x")[0]
        for path in Path("out").rglob("*.yaml")
    }
    assert read["base/kustomization.yaml"]["resources"] == ["platform/configmap-c.yaml"]
    assert read["overlays/prod/kustomization.yaml"] == {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "shop",
        "resources": ["../../base", "platform/configmap-own.yaml"],
        "patches": [
            {"path": "platform/configmap-c.yaml", "target": {"kind": "ConfigMap", "name": "c", "version": "v1"}}
        ],
    }
    assert read["overlays/prod/platform/configmap-c.yaml"]["data"] == {"B": "2"}


def test_a_folder_with_something_in_it_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is overwritten."""
    project(here, {"base/x/c.yaml": CONFIG.format(name="c", mark="labels: {}")}, "")
    assert main(["eject", "base"]) == 2
    assert "`base` is not empty" in capsys.readouterr().err


def test_secrets_in_clear_are_told_and_objects_without_names_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An object with `generateName` is nothing for kustomize; a Secret in clear is no surprise."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n"
    project(here, {"base/x/s.yaml": secret}, "secretBackend: plaintext\n")
    assert main(["eject", "out"]) == 0
    assert "Secrets of prod are in clear" in capsys.readouterr().err
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\n"
        "spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n"
    )
    Path("base/x/j.yaml").write_text(job, encoding="utf-8")
    assert main(["eject", "again"]) == 1
    assert "kustomize takes no object without a name: Job with `generateName`" in capsys.readouterr().err
