"""What objects of a repository tell of how its chart is installed; no helm is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.charts.asking import about_asking
from envcompile.charts.installs import installs_of, surroundings
from envcompile.charts.valuefiles import read_values
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from pathlib import Path

CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/live.yaml": "from: live\n",
    "charts/web/values-dev.yaml": "from: dev\n",
    "shared/all.yaml": "from: all\n",
}
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop-prod}
spec:
  destination: {server: "https://kubernetes.default.svc", namespace: shop}
  sources:
  - {repoURL: x, ref: here}
  - repoURL: x
    path: ./charts/web
    helm:
      valueFiles: [$here/shared/all.yaml, live.yaml, /shared/*.yaml, none.yaml, https://example.com/x.yaml]
      values: "from: values"
      valuesObject: {from: object}
      parameters: [{name: a, value: "1,2"}, {name: b, value: "3", forceString: true}]
      apiVersions: [example.com/v1]
"""
SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: webs}
spec:
  generators: [{list: {elements: [{env: dev}, {env: qa}]}}]
  template:
    metadata: {name: "web-{{env}}"}
    spec:
      destination: {namespace: "shop-{{env}}"}
      source:
        path: charts/web
        helm: {releaseName: web, valueFiles: ["values-{{env}}.yaml"], ignoreMissingValueFiles: true}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: flux-system}
spec:
  targetNamespace: shop
  chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: x}}}
  valuesFrom:
  - {kind: ConfigMap, name: web}
  - {kind: ConfigMap, name: web, valuesKey: size, targetPath: deep.size}
  - {kind: Secret, name: web}
  values: {from: values, kept: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {values.yaml: "from: map\\n", size: "7"}
"""
PATCH = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: flux-system}
spec: {values: {from: patch}, postRenderers: [{kustomize: {}}]}
"""
HELMFILE = """\
environments: {dev: {}, prod: {}}
---
releases:
- name: api
  namespace: shop-{{ .Environment.Name }}
  chart: ../charts/web
  values: ["../charts/web/values-{{ .Environment.Name }}.yaml", {from: helmfile}, "{{ .Values.x }}.yaml"]
  set: [{name: a, value: 1}]
- {name: off, chart: ../charts/web, installed: false}
- {name: other, chart: stable/other}
"""


def told(root: Path, files: dict[str, str]) -> tuple[dict[str, list[tuple[Any, ...]]], str]:
    """Release, namespace, options and values of each environment; and the notes."""
    write_files(root, {**CHART, **files, ".git/HEAD": ""})
    notes: list[str] = []
    found = installs_of(surroundings(root / "charts/web"), root / "charts/web", root / ".values", notes)
    return {
        name: [
            (each.release, each.namespace, each.options, [read_values(path) for path in each.files])
            for each in installs
        ]
        for name, installs in found.items()
    }, "\n".join(notes)


def test_an_application_of_argo_cd_tells(tmp_path: Path) -> None:
    """Files, then values, then parameters; what is elsewhere is said."""
    found, notes = told(tmp_path, {"argocd/web.yaml": APPLICATION})
    options = ("--set", "a=1\\,2", "--set-string", "b=3", "--api-versions", "example.com/v1")
    values = [{"from": name} for name in ("all", "live", "all", "object")]
    assert found == {"prod": [("shop-prod", "shop", options, values)]}
    assert "there is no file `none.yaml` here" in notes
    assert "`https://example.com/x.yaml` is not fetched" in notes


def test_an_application_set_tells_several_environments(tmp_path: Path) -> None:
    """Each element is one; files that may be missing are not missed."""
    found, notes = told(tmp_path, {"argocd/webs.yaml": SET})
    assert found == {
        "dev": [("web", "shop-dev", (), [{"from": "dev"}])],
        "qa": [("web", "shop-qa", (), [])],
    }
    assert not notes


def test_a_helm_release_of_flux_tells_with_its_patches(tmp_path: Path) -> None:
    """Values of the repository in their order, and of overlays; what only the cluster knows is said."""
    found, notes = told(tmp_path, {"base/web.yaml": RELEASE, "staging/web.yaml": PATCH})
    values = [{"from": "map"}, {"deep": {"size": 7}}, {"from": "patch", "kept": 1}]
    assert found == {"staging": [("shop-web", "shop", (), values)]}
    assert "values.yaml of Secret/web only the cluster knows" in notes
    assert "its `postRenderers` are not carried out" in notes


def test_a_helmfile_tells(tmp_path: Path) -> None:
    """Releases of this chart in each environment; a real template is left to helmfile."""
    found, notes = told(tmp_path, {"deploy/helmfile.yaml": HELMFILE})
    options = ("--set", "a=1")
    assert found == {
        "dev": [("api", "shop-dev", options, [{"from": "dev"}, {"from": "helmfile"}])],
        "prod": [("api", "shop-prod", options, [{"from": "helmfile"}])],
    }
    assert "there is no file `../charts/web/values-prod.yaml` here" in notes
    assert "only helmfile reads `{{ .Values.x }}.yaml`" in notes
    found, notes = told(tmp_path, {"deploy/helmfile.yaml": "{{ range .Values.x }}\n- a\n{{ end }}\n"})
    assert not found
    assert "is a template that only helmfile reads" in notes


def test_nothing_tells_of_another_chart(tmp_path: Path) -> None:
    """Objects about other paths, charts of repositories, and folders without git."""
    other = APPLICATION.replace("charts/web", "charts/api") + "---\n" + RELEASE.replace("./charts/web", "web")
    assert told(tmp_path, {"argocd/web.yaml": other}) == ({}, "")
    assert surroundings(tmp_path / "charts/web") == tmp_path


@pytest.mark.parametrize(
    ("template", "options", "words"),
    [
        ('{{ lookup "v1" "Secret" "a" "b" }}', [], "its templates ask the cluster (`lookup`)"),
        ('{{ if .Capabilities.APIVersions.Has "a.example.com/v1" }}', [], "whether the cluster has a.example.com/v1"),
        ('{{ if .Capabilities.APIVersions.Has "a.example.com/v1" }}', ["a.example.com/v1"], ""),
        ('{{ if .Capabilities.APIVersions.Has "policy/v1" }}', [], ""),
    ],
)
def test_what_templates_ask_of_a_cluster_is_said(tmp_path: Path, template: str, options: list[str], words: str) -> None:
    """Helm renders as if nothing were there."""
    write_files(tmp_path, {**CHART, "charts/web/charts/sub/templates/a.yaml": template})
    notes = "\n".join(about_asking(tmp_path / "charts/web", options))
    assert words in notes
    assert bool(notes) == bool(words)
