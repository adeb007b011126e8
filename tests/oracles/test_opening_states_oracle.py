"""Each place that people fill takes what they give, whatever the manifests say of the field in each environment."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import pytest

from envcompile.chart import emit
from envcompile.chart.names import camel
from envcompile.yamlio import load_all
from tests.chart.samples import chart_input, container, deployment, service, with_namespace
from tests.oracles.test_chart_oracle import write
from tests.oracles.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chart.samples import Resource

pytestmark = pytest.mark.oracle

ENVIRONMENTS: Final = ("dev", "prod")
ABSENT, EMPTY, FIRST, SECOND = "absent", "empty", "first", "second"
STATES: Final = {
    "absent": (ABSENT, ABSENT),
    "empty": (EMPTY, EMPTY),
    "null": (None, None),
    "same": (FIRST, FIRST),
    "differs": (FIRST, SECOND),
    "prod-only": (ABSENT, FIRST),
    "dev-only": (FIRST, ABSENT),
    "empty-in-dev": (EMPTY, FIRST),
    "empty-in-prod": (FIRST, EMPTY),
    "absent-or-empty": (ABSENT, EMPTY),
    "null-in-dev": (None, FIRST),
    "null-or-absent": (None, ABSENT),
}


class Point(NamedTuple):
    """A place of the chart, the field behind it, and values of the field."""

    holder: Literal["pod", "metadata", "main"]
    field: str
    first: Any
    second: Any
    given: Any
    adds: bool = False
    """What is given comes beside what is there, not in its place."""


def _volume(name: str) -> Resource:
    return {"name": name, "emptyDir": {}}


def _near(key: str) -> Resource:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": "web"}}}
    return {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}],
        },
    }


_FAR: Final = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "x", "operator": "Exists"}]}],
        },
    },
}
POINTS: Final = {
    "nodeSelector": Point("pod", "nodeSelector", {"disk": "a"}, {"disk": "b", "zone": "1"}, {"given": "yes"}),
    "tolerations": Point("pod", "tolerations", [{"key": "a"}], [{"key": "b"}, {"key": "c"}], [{"key": "given"}]),
    "affinity": Point("pod", "affinity", _near("zone"), _FAR, {"podAffinity": {}}),
    "topologySpreadConstraints": Point(
        "pod",
        "topologySpreadConstraints",
        [{"maxSkew": 1, "topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}],
        [{"maxSkew": 2, "topologyKey": "host"}],
        [{"maxSkew": 3, "topologyKey": "given"}],
    ),
    "imagePullSecrets": Point("pod", "imagePullSecrets", [{"name": "a"}], [{"name": "b"}], [{"name": "given"}]),
    "extraVolumes": Point(
        "pod",
        "volumes",
        [_volume("a"), _volume("b")],
        [_volume("b"), {"name": "c", "configMap": {"name": "c"}}],
        [_volume("given")],
        adds=True,
    ),
    "initContainers": Point(
        "pod",
        "initContainers",
        [{"name": "a", "image": "a:1"}],
        [{"name": "b", "image": "b:1"}],
        [{"name": "given", "image": "given:1"}],
        adds=True,
    ),
    "extraVolumeMounts": Point(
        "main",
        "volumeMounts",
        [{"name": "a", "mountPath": "/a"}],
        [{"name": "b", "mountPath": "/b"}],
        [{"name": "given", "mountPath": "/given"}],
        adds=True,
    ),
    "extraEnvFrom": Point(
        "main",
        "envFrom",
        [{"configMapRef": {"name": "a"}}],
        [{"secretRef": {"name": "b"}}],
        [{"secretRef": {"name": "given"}}],
        adds=True,
    ),
    "podAnnotations": Point("metadata", "annotations", {"a": "1"}, {"a": "2", "b": "3"}, {"given": "yes"}, adds=True),
    "podLabels": Point("metadata", "labels", {"a": "1"}, {"a": "2", "b": "3"}, {"given": "yes"}, adds=True),
    "livenessProbe": Point(
        "main",
        "livenessProbe",
        {"httpGet": {"path": "/a", "port": 1}},
        {"tcpSocket": {"port": 2}},
        {"exec": {"command": ["given"]}},
    ),
}
WHOLE: Final = {("initContainers", "empty-in-dev"), ("initContainers", "empty-in-prod")}
"""Where the values hold the whole list under the name itself, which people put another one in place of."""


def name_of(point: str, state: str) -> str:
    """The Deployment in which a field is in a state."""
    return f"{point}-{state}".lower()


def value_of(point: Point, state: str, environment: int) -> Any:
    """What the manifests of an environment say of a field."""
    stated = STATES[state][environment]
    known = {FIRST: point.first, SECOND: point.second, EMPTY: type(point.first)()}
    return copy.deepcopy(known.get(stated, stated)) if stated is not None else None


def holder_of(resource: Resource, point: Point) -> Resource:
    """The map of a Deployment that has the field."""
    template = resource["spec"]["template"]
    found: Resource = {"pod": template["spec"], "metadata": template["metadata"], "main": container(resource)}[
        point.holder
    ]
    return found


def resources(environment: int) -> list[Resource]:
    """A Deployment for each field in each state."""
    found = []
    for title, point in POINTS.items():
        for state in STATES:
            made = deployment(name_of(title, state))
            made["metadata"]["namespace"] = "shop"
            made["spec"]["template"]["metadata"] = {
                "name": "kept",
                "labels": made["spec"]["template"]["metadata"]["labels"],
            }
            if title == "podLabels":
                del made["spec"]["template"]["metadata"]["labels"]
            value = value_of(point, state, environment)
            if value != ABSENT:
                holder_of(made, point)[point.field] = value
            found.append(made)
    return found


BESIDE: Final = {
    ("ServiceAccount", "serviceAccount"): Point(
        "metadata", "annotations", {"a": "1"}, {"b": "2"}, {"given": "yes"}, adds=True
    ),
    ("Service", "service"): Point("metadata", "annotations", {"a": "1"}, {"b": "2"}, {"given": "yes"}, adds=True),
    ("Ingress", "ingress"): Point("metadata", "annotations", {"a": "1"}, {"b": "2"}, {"given": "yes"}, adds=True),
    ("Ingress", "ingress "): Point("pod", "tls", [{"hosts": ["a"]}], [{"secretName": "b"}], [{"secretName": "given"}]),
}
"""Places of the objects beside a Deployment, by their kind and what their values stand below."""


def beside(environment: int) -> list[Resource]:
    """A Deployment with its account, Service and Ingress for each field in each state."""
    found = []
    for number, ((kind, _), point) in enumerate(BESIDE.items()):
        for state in STATES:
            name = f"web{number}-{state}"
            made = [
                deployment(name),
                service(name),
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
            ]
            made[0]["spec"]["template"]["spec"]["serviceAccountName"] = name
            backend = {"service": {"name": name, "port": {"number": 80}}}
            rule = {"host": "h", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
            ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name}}
            made.append({**ingress, "spec": {"rules": [rule]}})
            value = value_of(point, state, environment)
            for one in made:
                if one["kind"] == kind and value != ABSENT:
                    one["metadata" if point.holder == "metadata" else "spec"][point.field] = value
            found += with_namespace("shop", *made)
    return found


def holds(found: Any, wanted: Any) -> bool:
    """Whether everything wanted is in what was found: Helm lays maps over each other."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and holds(found[key], item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(holds(one, item) for one in found) for item in wanted)
    return bool(found == wanted)


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One chart with all of them."""
    environments = {name: resources(number) for number, name in enumerate(ENVIRONMENTS)}
    return write(emit(chart_input(environments)), tmp_path_factory.mktemp("states"))


@pytest.mark.parametrize("version", ["helm3", "helm4"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_people_give_comes_into_every_state_of_a_field(
    request: pytest.FixtureRequest, version: str, environment: str, chart: Path, tmp_path: Path
) -> None:
    """Beside what is there, or in its place; the schema refuses none of them, and nothing else changes."""
    helm: Path = request.getfixturevalue(version)
    number = ENVIRONMENTS.index(environment)

    def rendered(values: dict[str, Any]) -> dict[str, Resource]:
        path = tmp_path / "given.json"
        path.write_text(json.dumps(values), encoding="utf-8")
        own = chart / f"values-{environment}.yaml"
        printed = run(helm, "template", "r", chart, "-f", own, "-f", path).expect_success().stdout
        return {one["metadata"]["name"]: one for one in load_all(printed.encode(), "printed") if one}

    plain = {one["metadata"]["name"]: one for one in resources(number)}
    assert rendered({}) == plain
    given = {camel(name_of(title, state)): {title: POINTS[title].given} for title in POINTS for state in STATES}
    found = rendered(given)
    for title, point in POINTS.items():
        for state in STATES:
            name = name_of(title, state)
            shown = holder_of(found[name], point).pop(point.field, ABSENT)
            assert holds(shown, point.given), (title, state)
            had = holder_of(plain[name], point).pop(point.field, None)
            assert not point.adds or not had or (title, state) in WHOLE or holds(shown, had), (title, state)
    assert found == plain


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_objects_beside_a_deployment_take_what_people_give(environment: str, helm4: Path, tmp_path: Path) -> None:
    """Annotations of account, Service and Ingress, and the Ingress's TLS."""
    number = ENVIRONMENTS.index(environment)
    chart = write(emit(chart_input({name: beside(at) for at, name in enumerate(ENVIRONMENTS)})), tmp_path / "chart")
    names = {(f"web{at}-{state}"): key for at, key in enumerate(BESIDE) for state in STATES}
    given = {
        camel(name): {slot.strip(): {BESIDE[kind, slot].field: BESIDE[kind, slot].given}}
        for name, (kind, slot) in names.items()
    }

    def rendered(values: dict[str, Any]) -> dict[tuple[str, str], Resource]:
        path = tmp_path / "given.json"
        path.write_text(json.dumps(values), encoding="utf-8")
        own = chart / f"values-{environment}.yaml"
        printed = run(helm4, "template", "r", chart, "-f", own, "-f", path).expect_success().stdout
        return {(one["kind"], one["metadata"]["name"]): one for one in load_all(printed.encode(), "printed") if one}

    plain = {(one["kind"], one["metadata"]["name"]): one for one in beside(number)}
    assert rendered({}) == plain
    found = rendered(given)
    for name, (kind, slot) in names.items():
        point = BESIDE[kind, slot]
        part = "metadata" if point.holder == "metadata" else "spec"
        shown = found[kind, name][part].pop(point.field, None)
        had = plain[kind, name][part].pop(point.field, None)
        assert holds(shown, point.given), (name, kind)
        assert not point.adds or not had or holds(shown, had), (name, kind)
    assert found == plain


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_null_leaves_a_field_out_that_people_replace(
    request: pytest.FixtureRequest, version: str, chart: Path, tmp_path: Path
) -> None:
    """Also where environments differ in it."""
    helm: Path = request.getfixturevalue(version)
    states = ["absent", "same", "differs", "prod-only", "dev-only", "empty-in-dev", "empty-in-prod"]
    titles = [title for title, point in POINTS.items() if not point.adds]
    path = tmp_path / "given.json"
    nothing = {camel(name_of(title, state)): {title: None} for title in titles for state in states}
    path.write_text(json.dumps(nothing), encoding="utf-8")
    printed = run(helm, "template", "r", chart, "-f", path).expect_success().stdout
    found = {one["metadata"]["name"]: one for one in load_all(printed.encode(), "printed") if one}
    for title in titles:
        for state in set(states) - {"same"}:
            assert POINTS[title].field not in holder_of(found[name_of(title, state)], POINTS[title]), (title, state)
