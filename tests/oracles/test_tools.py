"""The oracles are what they claim to be: each runs, says its pinned version, and does the one thing it is here for."""

import base64
import json
import time
from pathlib import Path
from typing import Final

import pytest

from tests.oracles import build
from tests.oracles.catalogue import ORACLES, Oracle, binary, module_digest
from tests.oracles.cluster import Cluster
from tests.oracles.sealed_secrets import SealedSecretsController
from tests.oracles.tools import OracleOnDemandError, OracleUnavailableError, Tools, require, run

VERSION_ARGUMENTS: Final = {
    "kustomize": ("version",),
    "helm3": ("version", "--short"),
    "helm4": ("version", "--short"),
    "kubeconform": ("-v",),
    "kube-score": ("version",),
    "dyff": ("version",),
    "argocd": ("version", "--client"),
    "kubectl": ("version", "--client"),
}

CONFIG_MAP: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: app
data:
  LOG_LEVEL: info
"""

DEPLOYMENT_WITH_TYPING_ERROR: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  replica: 3
  selector:
    matchLabels: {app: app}
  template:
    metadata:
      labels: {app: app}
    spec:
      containers:
        - name: app
          image: app:1
"""

CREDENTIALS: Final = """\
apiVersion: v1
kind: Secret
metadata:
  name: app
  namespace: default
stringData:
  password: correct horse
"""

CHART: Final = "apiVersion: v2\nname: app\nversion: 1.0.0\nkubeVersion: '>=1.30.0'\n"
TEMPLATE: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {v: {{ .Capabilities.KubeVersion }}}\n"


def _name(oracle: Oracle) -> str:
    return oracle.name


@pytest.mark.parametrize("oracle", ORACLES, ids=_name)
def test_each_tool_says_its_pinned_version(oracle: Oracle, oracle_tools: Tools) -> None:
    """A binary that forgot its version answers charts' and servers' version checks wrongly."""
    tool: Path = getattr(oracle_tools, oracle.name.replace("-", "_"))
    if oracle.on_demand and not tool.is_file():
        pytest.skip(f"built on demand: python -m tests.oracles.build {oracle.name}")
    answer = run(tool, *VERSION_ARGUMENTS.get(oracle.name, ("--version",))).expect_success()
    number = oracle.version.removeprefix("v")
    said = answer.stdout.replace(",", " ").replace("+", " ").split()
    assert number in {word.removeprefix("v") for word in said}, answer.stdout


@pytest.mark.parametrize("fixture", ["helm3", "helm4"])
def test_helm_renders_for_todays_kubernetes(
    fixture: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """Without the linker variables Helm 3 would render for Kubernetes v1.20, and refuse this chart."""
    helm: Path = request.getfixturevalue(fixture)
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text(CHART, encoding="utf-8")
    (tmp_path / "templates/app.yaml").write_text(TEMPLATE, encoding="utf-8")
    rendered = run(helm, "template", "app", tmp_path).expect_success()
    assert "data: {v: v1.37.0}" in rendered.stdout


def test_kustomize_builds_what_it_is_given(kustomize: Path, tmp_path: Path) -> None:
    """The smallest build: one resource, one prefix."""
    (tmp_path / "kustomization.yaml").write_text("namePrefix: dev-\nresources: [app.yaml]\n", encoding="utf-8")
    (tmp_path / "app.yaml").write_text(CONFIG_MAP, encoding="utf-8")
    assert "name: dev-app" in run(kustomize, "build", tmp_path).expect_success().stdout


def test_kubeconform_judges_by_a_local_schema(kubeconform: Path, tmp_path: Path) -> None:
    """With a local schema folder it needs no network, which these tests do not have."""
    schema = {"type": "object", "properties": {"data": {"type": "object"}}}
    (tmp_path / "configmap-v1.json").write_text(json.dumps(schema), encoding="utf-8")
    location = f"{tmp_path}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    judged = run(kubeconform, "-schema-location", location, "-", stdin=CONFIG_MAP)
    assert judged.ok, judged
    refused = run(kubeconform, "-schema-location", location, "-", stdin=CONFIG_MAP.replace("data:", "data: text #"))
    assert refused.returncode == 1


def test_server_accepts_a_config_map(kube_cluster: Cluster) -> None:
    """A dry-run is accepted and leaves nothing behind."""
    assert kube_cluster.apply(CONFIG_MAP, dry_run=True).ok
    assert "NotFound" in kube_cluster.kubectl("get", "configmap", "app").stderr


def test_server_refuses_an_unknown_field_in_its_own_words(kube_cluster: Cluster) -> None:
    """The message is the API server's: no client-side schema knows this wording."""
    refused = kube_cluster.apply(DEPLOYMENT_WITH_TYPING_ERROR, dry_run=True)
    assert not refused.ok
    assert ".spec.replica: field not declared in schema" in refused.stderr


def test_controller_unseals_what_kubeseal_sealed(sealed_secrets: SealedSecretsController) -> None:
    """The round trip of a secret: kubeseal, the API server, the controller, a Secret with the same value."""
    sealed = sealed_secrets.seal(CREDENTIALS).expect_success().stdout
    assert "correct horse" not in sealed
    assert base64.b64encode(b"correct horse").decode() not in sealed
    cluster = sealed_secrets.cluster
    cluster.apply(sealed).expect_success()
    read = cluster.kubectl("get", "secret", "app", "-o", "json")
    for _ in range(200):
        if read.ok:
            break
        time.sleep(0.1)
        read = cluster.kubectl("get", "secret", "app", "-o", "json")
    secret = json.loads(read.expect_success().stdout)
    assert {key: base64.b64decode(value) for key, value in secret["data"].items()} == {"password": b"correct horse"}
    assert [owner["kind"] for owner in secret["metadata"]["ownerReferences"]] == ["SealedSecret"]


def test_missing_tool_is_named_with_the_command_that_builds_it(tmp_path: Path) -> None:
    """A skip must say how to not be skipped."""
    tools = Tools.locate({"ENVC_ORACLES_DIR": str(tmp_path)})
    with pytest.raises(OracleUnavailableError, match=r"run `python -m tests\.oracles\.build helm4`"):
        require(tools.helm4)


def test_what_is_built_on_demand_is_missed_by_no_run(tmp_path: Path) -> None:
    """`ENVC_REQUIRE_ORACLES` makes a missing tool a failure, but not one of these by itself."""
    tools = Tools.locate({"ENVC_ORACLES_DIR": str(tmp_path)})
    with pytest.raises(OracleOnDemandError, match=r"run `python -m tests\.oracles\.build kwok metrics-server`"):
        require(tools.kwok, tools.metrics_server)
    with pytest.raises(OracleUnavailableError) as missed:
        require(tools.kwok, tools.etcd)
    assert not isinstance(missed.value, OracleOnDemandError)


def test_chosen_directory_wins_over_the_cache(tmp_path: Path) -> None:
    """Binaries of another recipe have another folder, whatever the root."""
    oracle = ORACLES[0]
    chosen = binary(oracle, {"ENVC_ORACLES_DIR": str(tmp_path), "XDG_CACHE_HOME": "/elsewhere"})
    assert chosen == tmp_path / module_digest(oracle.module) / "bin" / oracle.name
    assert binary(oracle, {"XDG_CACHE_HOME": "/c"}).is_relative_to("/c/envcompile-oracles")
    assert binary(oracle, {"HOME": "/home/u"}).is_relative_to("/home/u/.cache/envcompile-oracles")


@pytest.fixture
def no_installed_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that no Go was installed beside."""
    monkeypatch.setattr(build, "INSTALLED_GO", tmp_path / "none/go")


@pytest.mark.usefixtures("no_installed_go")
def test_build_without_go_says_which_go_is_needed(tmp_path: Path) -> None:
    """A machine without Go gets one sentence, not a traceback."""
    with pytest.raises(build.BuildError, match=r"Go 1\.\d+\.\d+ or newer is needed"):
        build.build(ORACLES[0], {"PATH": str(tmp_path), "ENVC_ORACLES_DIR": str(tmp_path)})


def _go(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho go{version}\n", encoding="utf-8")
    go.chmod(0o755)
    return go


@pytest.mark.usefixtures("no_installed_go")
def test_build_with_an_old_go_says_which_go_is_needed(tmp_path: Path) -> None:
    """A Go that is too old is named beside the one that is needed."""
    _go(tmp_path, "1.9.7")
    with pytest.raises(build.BuildError, match=r"needed to build the oracles \(.*/go is go1\.9\.7\)"):
        build.build(ORACLES[0], {"PATH": f"{tmp_path}:/usr/bin:/bin", "ENVC_ORACLES_DIR": str(tmp_path)})


def test_the_go_beside_python_builds_what_the_one_on_path_is_too_old_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Argo CD needs a newer Go than the other tools, whose builds it does not change."""
    on_path, installed = _go(tmp_path / "path", "1.26.8"), _go(tmp_path / "python", "1.27.3")
    monkeypatch.setattr(build, "INSTALLED_GO", installed)
    environ = {"PATH": f"{tmp_path / 'path'}:/usr/bin:/bin"}
    chosen = {oracle.name: build.require_go(oracle.module, environ) for oracle in ORACLES}
    assert {name for name, go in chosen.items() if go == str(installed)} == {"argocd"}
    assert {go for name, go in chosen.items() if name != "argocd"} == {str(on_path)}
