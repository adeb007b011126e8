"""Argo CD's `argocd-cm`: which fields are no difference, which kinds it looks at, and by what it knows its objects."""

from __future__ import annotations

from typing import Any, Final

import pytest

from envcompile.cluster.drift.argosettings import IN_CLUSTER, ArgoSettings, settings_of
from envcompile.cluster.drift.ignores import ignore
from envcompile.cluster.drift.knowntypes import is_understood, settled
from envcompile.kubernetes.api import load
from envcompile.model import ResourceId

WEB: Final = ResourceId("apps", "Deployment", "shop", "web")
DATA: Final = {
    "resource.customizations": "apps/StatefulSet:\n  ignoreDifferences: |\n    jsonPointers: [/spec/replicas]\n",
    "resource.customizations.ignoreDifferences.all": "managedFieldsManagers: [scaler]\njsonPointers: [/spec/a]\n",
    "resource.customizations.ignoreDifferences.apps_Deployment": (
        "jqPathExpressions: ['.spec.template.spec.initContainers[] | select(.name == \"mesh\")']\n"
    ),
    "resource.customizations.ignoreDifferences.ConfigMap": "jsonPointers: [/data]\n",
    "resource.customizations.ignoreResourceUpdates.all": "jsonPointers: [/metadata/resourceVersion]\n",
    "resource.customizations.health.apps_Deployment": "hs = {}\nreturn hs\n",
}


def _value(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": spec, "data": {"x": "1"}}


def test_fields_of_all_kinds_and_of_one() -> None:
    """Each key holds beside the others; what says nothing of differences has no say."""
    settings = settings_of(DATA, place="argocd-cm")
    mesh, other = {"name": "mesh"}, {"name": "other"}
    live = _value(a=1, replicas=3, template={"spec": {"initContainers": [mesh, other]}})
    done = ignore(settings.ignores, WEB, {}, live)
    assert done.live == _value(replicas=3, template={"spec": {"initContainers": [other]}})
    assert done.managers == ("scaler",)
    stateful = ignore(settings.ignores, WEB._replace(kind="StatefulSet"), {}, _value(a=1, replicas=3))
    assert stateful.live == _value()
    assert "data" not in ignore(settings.ignores, WEB._replace(group="", kind="ConfigMap"), {}, _value()).live
    assert settings.problems == ()


def test_what_cannot_be_read_is_told_and_left_out() -> None:
    """One key that is no YAML leaves the others as they are."""
    name = "resource.customizations.ignoreDifferences.all"
    settings = settings_of({**DATA, name: "jsonPointers: [\n", "resource.exclusions": "no: list"}, place="argocd-cm")
    assert len(settings.ignores) == 3
    assert settings.exclusions == ()
    assert len(settings.problems) == 1
    assert settings.problems[0].startswith(f"`{name}` of argocd-cm cannot be read: ")


HERE: Final = "https://prod.example.com:6443"


@pytest.mark.parametrize(
    ("inclusions", "exclusions", "due"),
    [
        ("", "", True),
        ("[{apiGroups: [apps]}]", "", True),
        ("[{apiGroups: [batch]}]", "", False),
        ("", "[{apiGroups: ['a*'], kinds: [Deployment]}]", False),
        ("", "[{apiGroups: [apps], kinds: [ReplicaSet]}]", True),
        ("[{apiGroups: [apps]}]", "[{kinds: ['*']}]", False),
        ("[{apiGroups: [batch], clusters: ['https://*.example.org']}]", "", True),
        ("", "[{kinds: [Deployment], clusters: ['https://prod.*']}]", False),
        ("", "[{kinds: [Deployment], clusters: ['https://dev.*']}]", True),
        ("", f"[{{kinds: [Deployment], clusters: ['{IN_CLUSTER}']}}]", True),
    ],
)
def test_kinds_that_argo_cd_looks_at(inclusions: str, exclusions: str, due: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument] - a parameter of the test
    """Its own table: what is excluded never, what is included then, everything where nothing is included."""
    data = {"resource.inclusions": inclusions, "resource.exclusions": exclusions}
    settings = settings_of(data, place="argocd-cm")._replace(servers=(HERE,))
    assert settings.looks_at("apps", "Deployment") is due


def test_an_application_is_known_by_its_marks() -> None:
    """By annotation, which has to be of the object itself; by a label of one's own; only of one's own installation."""
    mark = {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web"}
    metadata: dict[str, Any] = {"annotations": mark, "labels": {"app.kubernetes.io/instance": "chart", "a.io/app": "y"}}
    usual = ArgoSettings()
    assert usual.application_of(metadata, WEB) == "web"
    assert usual.application_of(metadata, WEB._replace(name="copy")) == ""
    assert usual.application_of(metadata, WEB._replace(namespace="other")) == ""
    cluster_wide = {"annotations": {"argocd.argoproj.io/tracking-id": "web:x/Y:shop/z"}}
    assert usual.application_of(cluster_wide, ResourceId("x", "Y", "", "z")) == "web"
    by_label = settings_of(
        {"application.resourceTrackingMethod": "label", "application.instanceLabelKey": "a.io/app"}, place=""
    )
    assert by_label.application_of(metadata, WEB) == "y"
    both = settings_of({"application.resourceTrackingMethod": "annotation+label"}, place="")
    assert both.application_of(metadata, WEB) == "web"
    assert both.application_of({"labels": metadata["labels"]}, WEB) == ""
    own = settings_of({"installationID": "one"}, place="")
    assert own.application_of(metadata, WEB) == ""
    metadata["annotations"] = {**mark, "argocd.argoproj.io/installation-id": "one"}
    assert own.application_of(metadata, WEB) == "web"


ROLLOUT: Final = ResourceId("argoproj.io", "Rollout", "shop", "web")
TYPES: Final = {
    "resource.customizations": (
        "example.com/Limit:\n  knownTypeFields:\n  - {field: spec.parts.cpu, type: core/Quantity}\n"
    ),
    "resource.customizations.knownTypeFields.argoproj.io_Rollout": (
        "- field: spec.template.spec\n  type: core/v1/PodSpec\n- {field: spec.x, type: core/v1/NoSuchType}\n- 7\n"
    ),
}


def _rollout(cpu: Any, *, count: Any = "1") -> dict[str, Any]:
    container = {"name": "b", "env": [{"name": "A", "value": count}], "resources": {"requests": {"cpu": cpu}}}
    return {"spec": {"template": {"spec": {"containers": [{"name": "a"}, container]}}, "count": count}}


def test_amounts_of_known_types_are_compared_as_amounts() -> None:
    """Where Argo CD is told that a custom kind holds one of Kubernetes' own types; texts beside stay texts."""
    settings = settings_of(TYPES, place="argocd-cm")
    api = load("1.37")
    desired, live = _rollout("1000m"), _rollout(1, count="1.0")
    assert settled(settings.known_types, ROLLOUT, desired, live, api) == _rollout("1000m", count="1.0")
    assert live == _rollout(1, count="1.0")
    assert settled(settings.known_types, ROLLOUT, desired, _rollout(2), api) == _rollout(2)
    assert settled(settings.known_types, WEB, desired, live, api) == live
    limit = ResourceId("example.com", "Limit", "shop", "web")
    parts = [{"spec": {"parts": [{"cpu": cpu}, {"cpu": "x"}]}} for cpu in ("1000m", "1")]
    assert settled(settings.known_types, limit, parts[0], parts[1], api) == parts[0]
    assert [is_understood(one, api) for one in settings.known_types] == [True, True, False]


def test_a_reordered_or_shorter_list_of_a_known_type() -> None:
    """Items are told apart by their names, and what is only on one side stays."""
    settings = settings_of(TYPES, place="argocd-cm")
    desired, live = _rollout("1000m"), _rollout("1")
    live["spec"]["template"]["spec"]["containers"].reverse()
    live["spec"]["template"]["spec"]["containers"].append({"name": "c"})
    done = settled(settings.known_types, ROLLOUT, desired, live, load("1.37"))
    first, *rest = done["spec"]["template"]["spec"]["containers"]
    assert first["resources"] == {"requests": {"cpu": "1000m"}}
    assert rest == [{"name": "a"}, {"name": "c"}]
    assert settled(settings.known_types, ROLLOUT, {"spec": None}, live, load("1.37")) == live
