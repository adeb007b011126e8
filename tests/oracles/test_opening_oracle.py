"""What people add to a chart comes where it belongs, under both Helms, and nothing else moves."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import environment
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.oracle

Objects = dict[str, Any]
"""Rendered objects, by kind."""

BARE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "registry.example.com:5000/team/web:1"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - host: web.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 3
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}}
"""
FULL = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true", example.com/stage: "${{ params.stage }}"}
    spec:
      serviceAccountName: web
      nodeSelector: {disk: hdd}
      tolerations: [{key: spot, operator: Exists}]
      affinity: {podAntiAffinity: {}}
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
      imagePullSecrets: [{name: own}]
      initContainers: [{name: first, image: "first:1"}]
      containers:
        - name: web
          image: "web:1"
          envFrom: [{configMapRef: {name: web}}]
          livenessProbe: {httpGet: {path: "/${{ params.stage }}", port: 80}, periodSeconds: 5}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {own: "1"}}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, annotations: {own: "1"}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {own: "1"}}
spec:
  ingressClassName: nginx
  tls: [{hosts: [web.example.com], secretName: own}]
  rules:
    - host: web.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 3
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}}
"""


class Case(NamedTuple):
    """Values below the service, and what they do to the objects."""

    values: dict[str, Any]
    change: Callable[[Objects], Any]


def _pod(objects: Objects) -> dict[str, Any]:
    found: dict[str, Any] = objects["Deployment"]["spec"]["template"]
    return found


def _main(objects: Objects) -> dict[str, Any]:
    found: dict[str, Any] = _pod(objects)["spec"]["containers"][0]
    return found


def _set(name: str, value: Any) -> Case:
    return Case({name: value}, lambda objects: _pod(objects)["spec"].__setitem__(name, value))


def _add(name: str, field: str, items: list[Any]) -> Case:
    return Case({name: items}, lambda objects: _pod(objects)["spec"].setdefault(field, []).extend(items))


def _add_main(name: str, field: str, items: list[Any]) -> Case:
    return Case({name: items}, lambda objects: _main(objects).setdefault(field, []).extend(items))


def _label(name: str, family: str) -> Case:
    given = {"example.com/more": "yes", "plain": "2"}
    return Case({name: given}, lambda objects: _pod(objects)["metadata"].setdefault(family, {}).update(given))


def _annotate(slot: str, kind: str) -> Case:
    given = {"example.com/more": "yes"}
    return Case(
        {slot: {"annotations": given}},
        lambda objects: objects[kind]["metadata"].setdefault("annotations", {}).update(given),
    )


def _drop(slot: str, kind: str) -> Case:
    return Case({slot: {"enabled": False}}, lambda objects: objects.pop(kind))


CASES = {
    "nodeSelector": _set("nodeSelector", {"disk": "ssd"}),
    "tolerations": _set("tolerations", [{"key": "gpu", "operator": "Exists"}]),
    "affinity": _set("affinity", {"nodeAffinity": {}}),
    "topologySpreadConstraints": _set(
        "topologySpreadConstraints", [{"maxSkew": 2, "topologyKey": "host", "whenUnsatisfiable": "DoNotSchedule"}]
    ),
    "imagePullSecrets": _set("imagePullSecrets", [{"name": "pull"}]),
    "podAnnotations": _label("podAnnotations", "annotations"),
    "podLabels": _label("podLabels", "labels"),
    "extraVolumes": _add("extraVolumes", "volumes", [{"name": "more", "emptyDir": {}}]),
    "initContainers": _add("initContainers", "initContainers", [{"name": "init", "image": "init:1"}]),
    "sidecars": _add("sidecars", "containers", [{"name": "side", "image": "side:1"}]),
    "extraVolumeMounts": _add_main("extraVolumeMounts", "volumeMounts", [{"name": "more", "mountPath": "/more"}]),
    "extraEnvFrom": _add_main("extraEnvFrom", "envFrom", [{"secretRef": {"name": "more"}}]),
    "readinessProbe": Case(
        {"readinessProbe": {"tcpSocket": {"port": 9}}},
        lambda objects: _main(objects).__setitem__("readinessProbe", {"tcpSocket": {"port": 9}}),
    ),
    "serviceAccount.annotations": _annotate("serviceAccount", "ServiceAccount"),
    "service.annotations": _annotate("service", "Service"),
    "ingress.annotations": _annotate("ingress", "Ingress"),
    "ingress.tls": Case(
        {"ingress": {"tls": [{"secretName": "more"}]}},
        lambda objects: objects["Ingress"]["spec"].__setitem__("tls", [{"secretName": "more"}]),
    ),
    "ingress.enabled": _drop("ingress", "Ingress"),
    "autoscaling.enabled": _drop("autoscaling", "HorizontalPodAutoscaler"),
    "podDisruptionBudget.enabled": _drop("podDisruptionBudget", "PodDisruptionBudget"),
    "networkPolicy.enabled": _drop("networkPolicy", "NetworkPolicy"),
}


@pytest.fixture(params=["bare", "full"])
def chart(request: pytest.FixtureRequest, make_project: MakeProject) -> Path:
    """The chart of a service that has none of these fields, and of one that has all."""
    root = make_project({
        "envc.yaml": "chart: {name: shop}\nenvironments: [dev, prod]\n",
        "base/web/web.yaml": FULL if request.param == "full" else BARE,
        "overlays/dev/environment.yaml": environment("namespace: dev\nparams: {stage: dev}\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nparams: {stage: prod}\n"),
    })
    built = run_envc(root, "build")
    assert built.code == 0, built.err
    return root / "environments/chart"


def rendered(helm: Path, chart: Path, *flags: str) -> Objects:
    """What a Helm makes of a chart, by kind."""
    printed = run(helm, "template", "r", chart, *flags).expect_success().stdout
    return {one["kind"]: one for one in load_all(printed.encode(), "printed") if one}


def given(folder: Path, values: dict[str, Any]) -> str:
    """The flag that hands values to Helm."""
    path = folder / "given.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return f"--values={path}"


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_each_place_takes_what_people_give(
    request: pytest.FixtureRequest, version: str, chart: Path, tmp_path: Path
) -> None:
    """One by one: just that changes; together: all of it; unset, empty or null: nothing."""
    helm: Path = request.getfixturevalue(version)
    plain = rendered(helm, chart)
    everything = copy.deepcopy(plain)
    together: dict[str, Any] = {}
    for name, case in CASES.items():
        expected = copy.deepcopy(plain)
        case.change(expected)
        assert rendered(helm, chart, given(tmp_path, {"web": case.values})) == expected, name
        if not name.endswith(".enabled"):
            case.change(everything)
            for key, value in case.values.items():
                together[key] = {**together.get(key, {}), **value} if isinstance(value, dict) else value
    assert rendered(helm, chart, given(tmp_path, {"web": together})) == everything
    empty = {key: type(value)() for case in CASES.values() for key, value in case.values.items() if "." not in key}
    assert rendered(helm, chart, given(tmp_path, {"web": empty})) == plain


def test_values_do_not_show_them(chart: Path) -> None:
    """They are in the schema and in the read-me."""
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    known = schema["properties"]["web"]["properties"]
    told = (chart / "README.md").read_text(encoding="utf-8")
    for name in CASES:
        first, _, second = name.partition(".")
        assert first in known
        assert not second or second in known[first]["properties"]
        assert name in told
    assert "nodeSelector" not in text
    assert "enabled" not in text


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_a_registry_stands_in_place_of_that_of_every_image(
    request: pytest.FixtureRequest, version: str, chart: Path, tmp_path: Path
) -> None:
    """A name without a registry gets one; a port is part of the registry."""
    helm: Path = request.getfixturevalue(version)
    before = rendered(helm, chart)
    after = rendered(helm, chart, given(tmp_path, {"global": {"imageRegistry": "mirror.example.com/cache"}}))
    image = _main(before)["image"].removeprefix("registry.example.com:5000/")
    assert _main(after)["image"] == f"mirror.example.com/cache/{image}"


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_a_probe_is_left_out_by_null(request: pytest.FixtureRequest, version: str, chart: Path) -> None:
    """Although its fields are values of their own."""
    helm: Path = request.getfixturevalue(version)
    expected = rendered(helm, chart)
    _main(expected).pop("livenessProbe", None)
    assert rendered(helm, chart, "--set", "web.livenessProbe=null") == expected


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_what_the_template_sets_itself_is_refused(
    request: pytest.FixtureRequest, version: str, chart: Path, tmp_path: Path
) -> None:
    """An annotation that would stand there twice is an error with its name, not one of the two."""
    helm: Path = request.getfixturevalue(version)
    done = run(helm, "template", "r", chart, given(tmp_path, {"web": {"podLabels": {"app": "other"}}}))
    assert done.returncode != 0
    assert "app" in done.stderr
