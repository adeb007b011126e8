"""Charts brought over with the real helm: the build is what `helm template` prints, in the words of the templates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from envcompile.values import same
from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import read_files, write_files
from tests.oracles.tools import run

if TYPE_CHECKING:
    from pathlib import Path

CHART = {
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    "web/values.yaml": "replicas: 1\nimage: {tag: v1}\nhost: web.example.com\npassword: ''\ncache: false\n",
    "web/templates/deployment.yaml": """\
# What answers.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {app: web, helm.sh/chart: web-1.2.3}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web # the one
          image: registry.example.com/web:{{ .Values.image.tag }}
""",
    "web/templates/service.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: web}
  ports:
    - port: 80 # plain
{{ if .Values.cache }}
---
apiVersion: v1
kind: Service
metadata: {name: cache, namespace: {{ .Release.Namespace }}}
spec: {selector: {app: cache}, ports: [{port: 6379}]}
{{ end }}
""",
    "web/templates/tests/connects.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: "{{ .Release.Name }}-test-{{ randAlphaNum 5 | lower }}", annotations: {helm.sh/hook: test}}
spec: {restartPolicy: Never, containers: [{name: a, image: "busybox:1"}]}
""",
    "web/crds/thing.yaml": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Cluster
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
""",
    "web/templates/thing.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: wide}\n",
    "web/values-dev.yaml": "image: {tag: v2}\n",
    "web/values-prod.yaml": "replicas: 3\ncache: true\n",
}


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only helm on PATH; the current folder is an empty one."""
    program: Path = request.getfixturevalue(request.param)
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "helm").symlink_to(program)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"HELM_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    return program


def test_the_build_is_what_helm_prints_for_each_file_of_values(helm: Path, tmp_path: Path) -> None:
    """Names of files tell environments, templates are the folders, comments stay, tests are taken out where asked."""
    write_files(tmp_path, CHART)
    spaces = ("--namespace", "shop", "--namespace", "dev=shop-dev")
    done = run_envc(tmp_path, "init", "new", "--from-helm", "web", "--helm", "clean", *spaces)
    assert done.code == 0, done.err
    assert "names of files tell the environments: dev is values-dev.yaml; prod is values-prod.yaml" in done.err
    assert "rendered by helm as release `web` in namespaces shop-dev (dev), shop (prod)" in done.err
    assert "makes this up" not in done.err, "a test that is taken out is none of it"
    service = (tmp_path / "new/base/web/service.yaml").read_text(encoding="utf-8")
    assert service == CHART["web/templates/service.yaml"].partition("{{ if")[0].replace("{{ .Release.Name }}", "web")
    deployment = (tmp_path / "new/base/web/deployment.yaml").read_text(encoding="utf-8")
    assert deployment.startswith("# What answers.\n")
    assert "- name: web # the one" in deployment
    assert run_envc(tmp_path / "new", "build").code == 0
    for name, namespace in (("dev", "shop-dev"), ("prod", "shop")):
        built = [
            value
            for path, data in read_files(tmp_path / "new/environments" / name).items()
            if path.endswith(".yaml")
            for value in load_all(data, path)
        ]
        options = ("--include-crds", "--skip-tests", "--namespace", namespace, "--values", f"web/values-{name}.yaml")
        printed = run(helm, "template", "web", "web", *options, cwd=tmp_path)
        wanted = [value for value in load_all(printed.stdout.encode(), "helm") if value is not None]
        for value in wanted:
            value["metadata"].get("labels", {}).pop("helm.sh/chart", None)
            if value["kind"] in {"Deployment", "Service"}:
                value["metadata"]["namespace"] = namespace
        assert len(built) == len(wanted)
        assert all(any(same(value, one) for one in built) for value in wanted)


@pytest.mark.usefixtures("helm")
def test_what_a_chart_makes_up_anew_is_named(tmp_path: Path) -> None:
    """Names and fields, for each environment; what came out stays, so that the build is proven equal."""
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\n"
        'data: {key: {{ .Values.password | default (randAlphaNum 12) | b64enc }}, user: "{{ b64enc "admin" }}"}\n'
    )
    write_files(tmp_path, {**CHART, "web/templates/secret.yaml": secret, "own.yaml": "password: sesame\n"})
    done = run_envc(tmp_path, "init", "new", "--from-helm", "web", "--env", "prod=web/values-prod.yaml")
    assert done.code == 0, done.err
    assert "prod: the chart makes this up each time it is rendered: Secret/web data.key, Pod/web-test-" in done.err
    assert "DO NOT COMMIT IT YET" in done.err
    done = run_envc(
        tmp_path, "init", "other", "--from-helm", "web", "--env", "prod=values-prod.yaml", "--env", "prod=own.yaml",
        "--skip", "tests", "--release", "shop", "-o", "json",
    )  # fmt: skip
    adoption = json.loads(done.out)["adoption"]
    assert [each["origin"] for each in adoption["environments"]] == ["values-prod.yaml, own.yaml"]
    assert not any("makes this up" in note for note in adoption["notes"])
    assert "name: shop" in (tmp_path / "other/base/web/deployment.yaml").read_text(encoding="utf-8")


@pytest.mark.usefixtures("helm")
def test_helm_says_itself_what_it_refuses(tmp_path: Path) -> None:
    """Values that the chart refuses, with its words and without the secret in them; missing dependencies, once."""
    write_files(tmp_path, {
        **CHART,
        "web/templates/fails.yaml": '{{ fail (printf "%s is no password" .Values.password) }}\n',
        "web/values-dev.yaml": "password: sesame-open\n",
    })  # fmt: skip
    done = run_envc(tmp_path, "init", "new", "--from-helm", "web", "--env", "dev=web/values-dev.yaml")
    assert done.code == 1
    assert "helm cannot render web for dev\n  --> web/Chart.yaml:1:1\n" in done.err
    assert "is no password" in done.err
    assert "sesame-open" not in done.err
    more = "dependencies: [{name: redis, version: 1.0.0, repository: 'https://127.0.0.1:9'}]\n"
    write_files(tmp_path, {"web/Chart.yaml": CHART["web/Chart.yaml"] + more})
    done = run_envc(tmp_path, "init", "new", "--from-helm", "web")
    assert done.code == 1
    assert done.err.count("helm cannot render") == 1
    assert "hint: fetch what it depends on with `helm dependency build web`" in done.err
    assert not (tmp_path / "new").exists()


def test_an_archive_is_a_chart(helm: Path, tmp_path: Path) -> None:
    """As `helm pull` fetches it; without files of values it is one environment, and that is said."""
    write_files(tmp_path, CHART)
    run(helm, "package", "web", cwd=tmp_path)
    done = run_envc(tmp_path, "init", "new", "--from-helm", "web-1.2.3.tgz")
    assert done.code == 0, done.err
    assert "so there is one, `default`" in done.err
    assert "default (from values.yaml): 5 objects" in done.out
