"""Which names follow a release: templates, values and schema; helm itself is asked elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.chart import emit
from envcompile.chart.alignment import align
from envcompile.chart.naming import CLOSE, OPEN, Marker, NameTable, table_of
from envcompile.chart.portions import Portion
from tests.chart.samples import chart_input, config_map, container, custom, deployment, service

if TYPE_CHECKING:
    from tests.chart.samples import Resource

LABEL = "app.kubernetes.io/instance"


def table(**by_kind: list[str]) -> NameTable:
    """A table of names in the namespace `shop`."""
    return NameTable(
        {kind: frozenset(names) for kind, names in by_kind.items()}, frozenset({"shop"}), (), (), LABEL, trims=True
    )


def told(*resources: Resource, chart: str = "mall") -> NameTable:
    """The table of a chart."""
    portion = Portion("", lambda: [("", one) for one in resources])
    return table_of(align(("prod",), [[portion]], 0), chart)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("http://web", "http://<web>"),
        ("http://web:80/web", "http://<web>:80/web"),
        ("http://user:word@web/web", "http://user:word@<web>/web"),
        ("web:8080,web-api:8080", "<web>:8080,<web-api>:8080"),
        ("web.shop:80", "<web>.shop:80"),
        ("web.other.svc.cluster.local", "<web>.other.svc.cluster.local"),
        ("web.svc", "<web>.svc"),
        ("web.example.com", "web.example.com"),
        ("www.web.shop.example.com", "www.web.shop.example.com"),
        ("my-web:8080", "my-web:8080"),
        ("web:1.27", "web:1.27"),
        ("db-0.web:80", "<db>-0.<web>:80"),
        ("DB_HOST=web", "DB_HOST=<web>"),
        ("server: 'web'", "server: '<web>'"),
        ("name=web", "name=web"),
        ("web", "web"),
        ("http://webs/", "http://webs/"),
        ("--publish-service=$(POD_NAMESPACE)/web", "--publish-service=$(POD_NAMESPACE)/<web>"),
        ("--configmap=shop/settings", "--configmap=shop/<settings>"),
        ("--config-map=settings", "--config-map=<settings>"),
        ("--secret-name=settings,", "--secret-name=<settings>,"),
        ("--path=etc/settings", "--path=etc/settings"),
    ],
)
def test_a_service_is_a_host_where_the_text_says_so(text: str, marked: str) -> None:
    """A port, a namespace, a scheme or a key before it; a word alone is none."""
    known = table(Service=["web", "web-api"], StatefulSet=["db"], ConfigMap=["settings"])
    found = Marker(known, "ConfigMap", "").hosts(text)
    assert found.replace(OPEN, "<").replace(CLOSE, ">") == marked


@pytest.mark.parametrize(
    ("path", "beside", "is_name"),
    [
        (("spec", "secretName"), {}, True),
        (("spec", "roleRef", "name"), {"kind": "Secret"}, True),
        (("spec", "roleRef", "name"), {"kind": "Role"}, False),
        (("spec", "valueFrom", "secretKeyRef", "name"), {}, True),
        (("spec", "passwordSecretRef", "name"), {}, True),
        (("spec", "volumes", "name"), {}, False),
        (("rules", "resourceNames"), {"resources": ["secrets"]}, True),
        (("rules", "resourceNames"), {"resources": ["configmaps"]}, False),
        (("metadata", "annotations", "cert-manager.io/inject-ca-from-secret"), {}, True),
        (("metadata", "annotations", "example.com/secret"), {}, False),
        (("metadata", "labels", "secretName"), {}, False),
    ],
)
def test_a_field_names_an_object_of_its_kind(path: tuple[str, ...], beside: dict[str, Any], is_name: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument]
    """By what the API calls the field, or by the kind beside it."""
    found = Marker(table(Secret=["token"]), "Thing", "example.com").text("token", path, beside)
    assert (found != "token") == is_name


def test_names_that_mean_something_to_others_stay() -> None:
    """Namespaces, accounts and roles of the system, and what is sealed for its name."""
    sealed = {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "strict"}, "spec": {}}
    wide = {**sealed, "metadata": {"name": "wide", "annotations": {"sealedsecrets.bitnami.com/cluster-wide": "true"}}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:web"}}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    found = told(sealed, wide, role, namespace, config_map("settings"))
    assert found.by_kind == {
        "SealedSecret": frozenset({"wide"}),
        "Secret": frozenset({"wide"}),
        "ConfigMap": frozenset({"settings"}),
    }
    assert found.kept == ("ClusterRole/system:web", "Namespace/shop", "SealedSecret/strict")


def test_the_label_is_one_that_nobody_uses() -> None:
    """Otherwise a selector could lose what it told apart."""
    web = deployment("web")
    web["metadata"]["labels"][LABEL] = "web"
    assert told(deployment("web")).label == LABEL
    assert told(web).label == "release"


@pytest.mark.parametrize(("names", "trims"), [(("mall-web", "api"), True), (("mall-web", "web"), False)])
def test_the_charts_name_gives_way_where_names_stay_apart(names: tuple[str, str], trims: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument]
    """`mall-web` is called RELEASE-web, unless there is a `web`."""
    assert told(*map(config_map, names)).trims == trims


def test_without_the_setting_nothing_of_it_is_in_the_chart() -> None:
    """Values, schema, helpers and templates."""
    files = emit(chart_input({"prod": [deployment("web"), service("web")]}))
    assert not [path for path, text in files.items() if "Override" in text or "shop.name" in text]


def test_values_schema_and_read_me_tell_of_it() -> None:
    """People find it in `helm show values`."""
    web = deployment("web")
    container(web)["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mall"}}
    files = emit(chart_input({"prod": [web, config_map("settings"), namespace]}, renames=True))
    assert files["values.yaml"].startswith("# -- When set, every object is called RELEASE-")
    known = json.loads(files["values.schema.json"])["properties"]
    assert {"nameOverride", "fullnameOverride"} <= known.keys()
    assert "`Namespace/mall`" in files["README.md"]
    written = files["templates/web/deployment.yaml"]
    assert 'name: "{{ include "shop.name" (list $ "settings") }}"' in written
    assert f"{LABEL}: {{{{ . | quote }}}}" in written


def test_a_text_that_holds_a_mark_is_left_alone() -> None:
    """It is no name, whatever it says."""
    odd = custom("odd", {"secretName": f"{OPEN}x"})
    files = emit(chart_input({"prod": [odd, {**config_map("x"), "kind": "Secret"}]}, renames=True))
    assert f"{OPEN}x" in files["templates/odd/thing.yaml"]
