"""`rollout: suffix`: names of ConfigMaps end in a hash of their content, and what names them follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile import yamlio
from envcompile.cli import main
from envcompile.compose.suffixes import content_hash
from envcompile.units.project import Project

if TYPE_CHECKING:
    from pathlib import Path

MARK = "annotations: {envcompile.dev/name-suffix: hash}"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, {mark}}}\ndata: {{A: '1'}}\n"
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
      - {name: init, image: "web:v1", env: [{name: X, valueFrom: {configMapKeyRef: {name: other, key: A}}}]}
      containers:
      - name: web
        image: web:v1
        args: [--config=settings]
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: login}}]
      volumes:
      - {name: a, configMap: {name: settings}}
      - {name: b, secret: {secretName: login}}
      - {name: c, projected: {sources: [{configMap: {name: other}}]}}
"""


def project(folder: Path, files: dict[str, str], settings: str = "rollout: suffix\n") -> Project:
    """A project with one environment."""
    head = "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: shop\n"
    for path, text in {"overlays/prod/environment.yaml": head + settings, **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return Project.open(folder)


def built(project: Project) -> dict[str, Any]:
    """The objects of prod by kind and name."""
    return {each.id.short: each.value for each in project.compile("prod").resources}


def test_names_end_in_a_hash_and_references_of_other_applications_follow(tmp_path: Path) -> None:
    """All places of a pod follow, in whatever application the ConfigMap is; plain texts do not."""
    found = built(
        project(
            tmp_path,
            {
                "base/web/web.yaml": WEB,
                "base/web/settings.yaml": CONFIG.format(name="settings", mark=MARK),
                "base/common/other.yaml": CONFIG.format(name="other", mark=MARK),
            },
        )
    )
    names = {kind_name.partition("/")[2].rpartition("-")[0]: kind_name.partition("/")[2] for kind_name in found}
    settings, other = names["settings"], names["other"]
    assert settings == f"settings-{content_hash(found[f'ConfigMap/{settings}'])}"
    spec = found["Deployment/web"]["spec"]["template"]["spec"]
    assert spec["containers"][0]["envFrom"] == [{"configMapRef": {"name": settings}}, {"secretRef": {"name": "login"}}]
    assert spec["containers"][0]["args"] == ["--config=settings"]
    assert spec["initContainers"][0]["env"][0]["valueFrom"]["configMapKeyRef"]["name"] == other
    assert spec["volumes"][0]["configMap"]["name"] == settings
    assert spec["volumes"][1]["secret"]["secretName"] == "login"
    assert spec["volumes"][2]["projected"]["sources"][0]["configMap"]["name"] == other
    assert "annotations" not in found[f"ConfigMap/{settings}"]["metadata"]


def test_an_overlay_patches_the_name_of_the_sources_and_changes_the_suffix(tmp_path: Path) -> None:
    """The suffix comes from what the environment makes of it; the build remembers nothing wrong."""
    files = {"base/web/web.yaml": WEB, "base/common/settings.yaml": CONFIG.format(name="settings", mark=MARK)}
    project(tmp_path, files)
    assert main(["--project", str(tmp_path), "build"]) == 0
    assert main(["--project", str(tmp_path), "build", "--check"]) == 0
    first = built(Project.open(tmp_path))
    (tmp_path / "overlays/prod/settings.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {A: '2'}\n", encoding="utf-8"
    )
    assert main(["--project", str(tmp_path), "build"]) == 0
    second = built(Project.open(tmp_path))
    (old,) = [name for name in first if name.startswith("ConfigMap/")]
    (new,) = [name for name in second if name.startswith("ConfigMap/")]
    assert old != new
    written = list((tmp_path / "environments/prod").rglob("*.yaml"))
    values = [value for path in written for value in yamlio.load_all(path.read_bytes(), path.name)]
    assert {f"{value['kind']}/{value['metadata']['name']}": value for value in values} == second
    (container,) = second["Deployment/web"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"][0]["configMapRef"]["name"] == new.partition("/")[2]


@pytest.mark.parametrize("settings", ["", "rollout: none\n", "rollout: checksum\n"])
def test_without_rollout_suffix_names_stay_and_the_mark_goes(tmp_path: Path, settings: str) -> None:
    """The annotation is for the build and nobody else."""
    found = built(project(tmp_path, {"base/web/c.yaml": CONFIG.format(name="settings", mark=MARK)}, settings))
    assert found == {
        "ConfigMap/settings": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "shop"},
            "data": {"A": "1"},
        }
    }


def test_a_sealed_secret_keeps_its_name_and_an_open_one_does_not(tmp_path: Path) -> None:
    """What is sealed is bound to the name it was sealed for."""
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: login, {MARK}}}\nstringData: {{password: x}}\n"
    files = {"base/web/web.yaml": WEB, "base/web/s.yaml": secret}
    found = built(project(tmp_path, files, "rollout: suffix\nsecretBackend: plaintext\n"))
    (name,) = [name.partition("/")[2] for name in found if name.startswith("Secret/")]
    assert name.startswith("login-")
    assert found["Deployment/web"]["spec"]["template"]["spec"]["volumes"][1]["secret"]["secretName"] == name


def test_sync_waves_find_what_has_a_suffix(tmp_path: Path) -> None:
    """A ConfigMap is applied before the pods that read it, under whatever name."""
    files = {"base/web/web.yaml": WEB, "base/common/settings.yaml": CONFIG.format(name="settings", mark=MARK)}
    found = built(project(tmp_path, files, "rollout: suffix\nsyncWaves: true\n"))
    waves = found["Deployment/web"]["metadata"]["annotations"]
    assert waves == {"argocd.argoproj.io/sync-wave": "1"}
