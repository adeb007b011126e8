"""What the chart's files look like."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.chart import emit
from envcompile.chart.alignment import numbered
from tests.chart.samples import (
    chart_input,
    config_map,
    container,
    corpus,
    corpus_cases,
    custom,
    deployment,
    load,
    service,
    with_namespace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chart.samples import Environments, Resource


def _paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _paths(item, (*above, key))
    else:
        yield above, value


def _patched(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = _patched(found[key], value)
        else:
            found[key] = value
    return found


def _differing(files: dict[str, str], environments: Environments) -> set[str]:
    """The values that environments set differently."""
    base = load(files["values.yaml"])
    seen: dict[str, set[str]] = {}
    for name in environments:
        for path, value in _paths(_patched(base, load(files[f"values-{name}.yaml"]))):
            seen.setdefault(".".join(path), set()).add(json.dumps(value, sort_keys=True))
    return {path for path, values in seen.items() if len(values) > 1}


def _shop() -> Environments:
    frontend = deployment("frontend", "example.com/frontend:v1")
    container(frontend)["env"] = [{"name": "LOG_LEVEL", "value": "info"}]
    container(frontend)["resources"] = {"limits": {"cpu": "1"}}
    resources = [frontend, service("frontend"), config_map("frontend-config", LOG_FORMAT="json")]
    dev, prod = with_namespace("shop-dev", *resources), with_namespace("shop-prod", *resources)
    container(prod[0])["image"] = "example.com/frontend:v2"
    prod[0]["spec"]["replicas"] = 5
    return {"dev": dev, "prod": prod}


def test_a_small_shop_gives_the_chart_that_a_person_would_write() -> None:
    """Values have the names that users of charts know; an environment's file says only what differs."""
    files = emit(chart_input(_shop()))
    assert sorted(files) == [
        ".helmignore",
        "Chart.yaml",
        "README.md",
        "templates/NOTES.txt",
        "templates/_helpers.tpl",
        "templates/frontend/configmap-frontend-config.yaml",
        "templates/frontend/deployment.yaml",
        "templates/frontend/service.yaml",
        "values-dev.yaml",
        "values-prod.yaml",
        "values.schema.json",
        "values.yaml",
    ]
    assert (
        files["values.yaml"]
        == """\
global:
  # -- several of kinds ConfigMap, Deployment, Service · the namespace they are in
  namespace: shop-dev

frontend:
  # -- Deployment/frontend · number of pods
  replicas: 2
  # -- Deployment/frontend · image of the main container
  image:
    repository: example.com/frontend
    tag: v1
    digest: ""
  # -- Deployment/frontend · env vars of the main container
  env:
    LOG_LEVEL: info
  # -- Deployment/frontend · further env vars, by name
  extraEnv: {}
  # -- Deployment/frontend · requests and limits of the main container
  resources:
    limits:
      cpu: "1"
  # -- ConfigMap/frontend-config · entries of the ConfigMap
  config:
    LOG_FORMAT: json
  # -- Service/frontend · type and ports of the Service
  service:
    type: ClusterIP
    port: 80
"""
    )
    assert files["values-dev.yaml"] == "# What dev sets differently from values.yaml.\n{}\n"
    assert (
        files["values-prod.yaml"]
        == """\
# What prod sets differently from values.yaml.
global:
  namespace: shop-prod
frontend:
  replicas: 5
  image:
    tag: v2
"""
    )
    assert (
        files["templates/frontend/deployment.yaml"]
        == """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: frontend
  labels:
    app: frontend
  namespace: {{ .Values.global.namespace | quote }}
spec:
  replicas: {{ .Values.frontend.replicas | int64 }}
  selector:
    matchLabels:
      app: frontend
  template:
    metadata:
      labels:
        app: frontend
        {{- range $name, $value := (.Values.frontend).podLabels }}
        {{ $name | quote }}: {{ $value | quote }}
        {{- end }}
      {{- if (.Values.frontend).podAnnotations }}
      annotations:
        {{- range $name, $value := (.Values.frontend).podAnnotations }}
        {{ $name | quote }}: {{ $value | quote }}
        {{- end }}
      {{- end }}
    spec:
      containers:
        - name: frontend
          image: {{ include "shop.image" (dict "image" .Values.frontend.image "global" .Values.global) | quote }}
          env:
            - name: LOG_LEVEL
              value: {{ .Values.frontend.env.LOG_LEVEL | quote }}
            {{- range $name, $value := .Values.frontend.extraEnv }}
            - name: {{ $name | quote }}
              value: {{ $value | quote }}
            {{- end }}
          resources:
            {{- toYaml .Values.frontend.resources | nindent 12 }}
          {{- if (.Values.frontend).startupProbe }}
          startupProbe:
            {{- toYaml (.Values.frontend).startupProbe | nindent 12 }}
          {{- end }}
          {{- if (.Values.frontend).livenessProbe }}
          livenessProbe:
            {{- toYaml (.Values.frontend).livenessProbe | nindent 12 }}
          {{- end }}
          {{- if (.Values.frontend).readinessProbe }}
          readinessProbe:
            {{- toYaml (.Values.frontend).readinessProbe | nindent 12 }}
          {{- end }}
          {{- if (.Values.frontend).extraEnvFrom }}
          envFrom:
            {{- toYaml (.Values.frontend).extraEnvFrom | nindent 12 }}
          {{- end }}
          {{- if (.Values.frontend).extraVolumeMounts }}
          volumeMounts:
            {{- toYaml (.Values.frontend).extraVolumeMounts | nindent 12 }}
          {{- end }}
        {{- with (.Values.frontend).sidecars }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if (.Values.frontend).nodeSelector }}
      nodeSelector:
        {{- toYaml (.Values.frontend).nodeSelector | nindent 8 }}
      {{- end }}
      {{- if (.Values.frontend).tolerations }}
      tolerations:
        {{- toYaml (.Values.frontend).tolerations | nindent 8 }}
      {{- end }}
      {{- if (.Values.frontend).affinity }}
      affinity:
        {{- toYaml (.Values.frontend).affinity | nindent 8 }}
      {{- end }}
      {{- if (.Values.frontend).topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- toYaml (.Values.frontend).topologySpreadConstraints | nindent 8 }}
      {{- end }}
      {{- if (.Values.frontend).imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml (.Values.frontend).imagePullSecrets | nindent 8 }}
      {{- end }}
      {{- if (.Values.frontend).extraVolumes }}
      volumes:
        {{- toYaml (.Values.frontend).extraVolumes | nindent 8 }}
      {{- end }}
      {{- if (.Values.frontend).initContainers }}
      initContainers:
        {{- toYaml (.Values.frontend).initContainers | nindent 8 }}
      {{- end }}
"""
    )


def test_replicas_and_resources_can_be_set_where_no_environment_sets_them() -> None:
    """They render nothing until somebody does."""
    bare = deployment("api")
    del bare["spec"]["replicas"]
    files = emit(chart_input({"dev": [bare]}))
    values = load(files["values.yaml"])["api"]
    assert values == {
        "replicas": None,
        "image": {"repository": "nginx", "tag": "1.27", "digest": ""},
        "extraEnv": {},
        "resources": {},
    }
    template = files["templates/api/deployment.yaml"]
    assert '{{- if not (kindIs "invalid" .Values.api.replicas) }}' in template
    assert "{{- if .Values.api.resources }}" in template


def test_resources_of_some_environments_stand_behind_a_switch() -> None:
    """One for the service when all of it comes and goes."""
    files = emit(chart_input({"dev": [deployment("a"), deployment("b"), service("b")], "prod": [deployment("a")]}))
    assert load(files["values.yaml"])["b"]["enabled"] is True
    assert load(files["values-prod.yaml"]) == {"b": {"enabled": False}}
    assert files["templates/b/service.yaml"].startswith("{{- if .Values.b.enabled }}\n")


def test_what_comes_and_goes_together_has_one_switch() -> None:
    """Three and more resources of several services share a feature, named after what they have in common."""
    policies = [
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name},
            "spec": {"minAvailable": 1},
        }
        for name in ("a", "b", "c")
    ]
    workloads = [deployment(name) for name in ("a", "b", "c")]
    files = emit(chart_input({"dev": workloads, "prod": [*workloads, *policies]}))
    assert load(files["values-prod.yaml"]) == {"global": {"features": {"podDisruptionBudgets": True}}}


def test_a_label_that_differs_everywhere_is_one_value() -> None:
    """On resources, pod templates and selectors alike."""
    found: Environments = {}
    for name in ("dev", "prod"):
        resource = deployment("a")
        for labels in (
            resource["metadata"]["labels"],
            resource["spec"]["selector"]["matchLabels"],
            resource["spec"]["template"]["metadata"]["labels"],
        ):
            labels["environment"] = name
        found[name] = [resource]
    files = emit(chart_input(found))
    assert load(files["values-prod.yaml"]) == {"global": {"labels": {"environment": "prod"}}}


def test_parts_that_no_value_can_carry_stand_in_the_template_for_each_environment() -> None:
    """Integers beyond 2^53, nulls, and maps that are lists elsewhere."""
    found = {
        "dev": [custom("a", {"big": 2**53 + 1, "x": {"y": 1}})],
        "prod": [custom("a", {"big": 2**53 + 3, "x": [1]})],
    }
    files = emit(chart_input(found))
    assert load(files["values-prod.yaml"]) == {
        "a": {"thing": {"big": {"variant": "number2"}, "x": {"variant": "list"}}}
    }
    assert (
        '  big:\n    {{- if eq .Values.a.thing.big.variant "number" }}\n    9007199254740993\n    {{- else }}'
        in (files["templates/a/thing.yaml"])
    )


def test_lines_of_properties_are_values() -> None:
    """A file inside a ConfigMap is filled in line by line; a line that some environments lack is optional."""
    found = {
        "dev": [config_map("app", **{"app.properties": "# x\nlog.level=debug\nport=80\n"})],
        "prod": [config_map("app", **{"app.properties": "# x\nlog.level=warn\nport=80\nextra=1\n"})],
    }
    files = emit(chart_input(found))
    assert load(files["values.yaml"])["app"]["config"]["appProperties"] == {
        "logLevel": "debug",
        "port": "80",
        "extra": "",
    }
    assert load(files["values-prod.yaml"])["app"]["config"]["appProperties"] == {"logLevel": "warn", "extra": "1"}
    assert files["templates/app/configmap.yaml"].endswith("""\
data:
  app.properties: |
    # x
    log.level={{ .Values.app.config.appProperties.logLevel }}
    port={{ .Values.app.config.appProperties.port }}{{ if .Values.app.config.appProperties.extra }}
    extra={{ .Values.app.config.appProperties.extra }}{{ end }}
""")


def test_a_changing_name_is_one_value_with_all_its_references() -> None:
    """A ConfigMap whose name ends in a digest, and the volume that mounts it."""
    found: Environments = {}
    for name, digest in (("dev", "bd2fcfgt6k"), ("prod", "84kgbhcc2d")):
        workload = deployment("web")
        workload["spec"]["template"]["spec"]["volumes"] = [{"name": "c", "configMap": {"name": f"web-config-{digest}"}}]
        found[name] = [workload, config_map(f"web-config-{digest}", A="1")]
    files = emit(chart_input(found))
    assert load(files["values-prod.yaml"]) == {"global": {"names": {"webConfig": "web-config-84kgbhcc2d"}}}
    assert "templates/web/configmap-web-config.yaml" in files


def test_long_texts_are_kept_beside_the_templates() -> None:
    """There they need no escapes."""
    text = '{"title": "{{ pod }}"}\n' * 500
    files = emit(chart_input({"dev": [config_map("dash", **{"a.json": text})]}))
    assert files["files/dash/configmap/a.json"] == text
    assert '.Files.Get "files/dash/configmap/a.json"' in files["templates/dash/configmap.yaml"]


def test_services_that_need_others_say_so() -> None:
    """In the notes, above the service's values, and in the dependencies of a chart that is split."""
    front, back = deployment("front"), deployment("back")
    container(front)["env"] = [{"name": "BACK", "value": "http://back:8080/x"}]
    found = {"dev": [front, back, service("back")]}
    files = emit(chart_input(found))
    assert "# Needs back.\nfront:\n" in files["values.yaml"]
    assert "  front needs back\n" in files["templates/NOTES.txt"]
    split = emit(chart_input(found, split=True))
    assert (
        '  # needs back\n  - name: front\n    version: "0.1.0"\n    condition: front.enabled\n' in split["Chart.yaml"]
    )
    assert load(split["values.yaml"])["front"]["enabled"] is True


def test_charts_inside_of_a_chart_share_a_library() -> None:
    """Named templates are in a chart of their own, which has its folder even where a service is called so, too."""
    found = {"dev": [deployment("front"), deployment("shop-library")]}
    split = emit(chart_input(found, split=True))
    library = load(split["charts/shop-library/Chart.yaml"])
    assert (library["type"], library["version"]) == ("library", "0.1.0")
    assert '{{- define "shop.image" -}}' in split["charts/shop-library/templates/_helpers.tpl"]
    assert [path for path, text in split.items() if "define" in text] == ["charts/shop-library/templates/_helpers.tpl"]
    named = {one["name"]: one.get("condition") for one in load(split["Chart.yaml"])["dependencies"]}
    assert named == {"shop-library": None, "front": "front.enabled", "shop-library-2": "shopLibrary.enabled"}


def _texts(files: dict[str, str]) -> dict[str, list[str]]:
    return {path: text.splitlines() for path, text in files.items()}


def _changed_lines(before: dict[str, str], after: dict[str, str]) -> dict[str, int]:
    """How many lines each file has that it did not have before."""
    old, new = _texts(before), _texts(after)
    found = {}
    for path, lines in new.items():
        fresh = [line for line in lines if line not in old.get(path, [])]
        if fresh or old.get(path) != lines:
            found[path] = len(fresh)
    return found


def test_the_same_input_gives_the_same_bytes_in_any_order() -> None:
    """Converting twice, or reading files in another order, changes nothing."""
    found = _shop()
    first = emit(chart_input(found))
    shuffler = random.Random(7)
    for _ in range(5):
        turned = {name: shuffler.sample(resources, len(resources)) for name, resources in found.items()}
        assert emit(chart_input(turned)) == first


def test_changing_one_field_changes_one_line_of_one_values_file() -> None:
    """The rest of the chart stays as it was."""
    found = _shop()
    before = emit(chart_input(found))
    after = copy.deepcopy(found)
    container(after["prod"][0])["image"] = "example.com/frontend:v3"
    assert _changed_lines(before, emit(chart_input(after))) == {"values-prod.yaml": 1}
    after = copy.deepcopy(found)
    container(after["prod"][0])["env"][0]["value"] = "warn"
    assert _changed_lines(before, emit(chart_input(after))) == {"values-prod.yaml": 2}


def test_adding_a_resource_renames_no_file() -> None:
    """Every file is named by its resource alone."""
    found = _shop()
    before = emit(chart_input(found))
    extra: list[Resource] = [config_map("frontend-extra"), service("frontend-admin"), deployment("frontendadmin")]
    after = emit(chart_input({name: [*resources, *extra] for name, resources in found.items()}))
    assert before.keys() <= after.keys()


@pytest.mark.corpora
@pytest.mark.parametrize("case", corpus_cases())
def test_a_real_systems_values_are_not_deep_and_do_not_depend_on_order(case: str) -> None:
    """No value lies more than five keys below its service; shuffled input gives the same bytes."""
    found = corpus(case)
    files = emit(chart_input(found, name=case))
    assert max(len(path) for path, _ in _paths(load(files["values.yaml"]))) <= 6
    shuffler = random.Random(case)
    turned = {name: shuffler.sample(resources, len(resources)) for name, resources in found.items()}
    repeated = any(len(numbered(("", item) for item in items)) < len(items) for items in found.values())
    if not repeated:  # of two resources with one identity the last wins, so there the order means something
        assert emit(chart_input(turned, name=case)) == files


@pytest.mark.corpora
@pytest.mark.skipif("bank-of-anthos" not in corpus_cases(), reason="the real systems are not beside the project")
def test_a_bank_has_few_values_that_differ() -> None:
    """Correlated differences are factored, and people find the names they look for."""
    found = corpus("bank-of-anthos")
    files = emit(chart_input(found))
    values = load(files["values.yaml"])
    differing = _differing(files, found)
    assert len(differing) <= 60
    assert {"global.namespace", "global.labels.environment", "global.features.cloudSqlProxy"} <= differing
    assert values["frontend"]["image"] == {"repository": "frontend", "tag": "", "digest": ""}
    assert "replicas" in values["frontend"]
    assert values["frontend"]["env"]["LOG_LEVEL"] == "info"
