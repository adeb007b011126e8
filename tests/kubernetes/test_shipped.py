"""The kinds of well-known operators: known without a definition, as their own definitions say."""

from __future__ import annotations

import os
from itertools import starmap
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.kubernetes import load, shortcomings
from envcompile.kubernetes.operators import FAMILIES
from envcompile.kubernetes.shipped import FOLDER, groups, kinds_of, shipped
from envcompile.settings import MergeKeyRule
from tests.kubernetes.generate_operators import PAGE, SOURCES, collect
from tests.kubernetes.generate_tables import MissingSourceError
from tests.kubernetes.test_operators import at

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIRED = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
# Read while pytest collects: tests run with a HOME of their own, where Go has no module cache.
ENVIRON = dict(os.environ)
API = load("1.37")

CERTIFICATE: dict[str, Any] = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "metadata": {"name": "web"},
    "spec": {"secretName": "web-tls", "issuerRef": {"name": "ca"}, "dnsNames": ["a.example"]},
}


def all_kinds() -> Iterator[tuple[str, str]]:
    """Every (group, kind) there is."""
    return ((group, kind) for group in sorted(groups()) for kind in kinds_of(group))


@pytest.mark.parametrize(
    "key",
    [
        "Certificate.cert-manager.io",
        "ExternalSecret.external-secrets.io",
        "ScaledObject.keda.sh",
        "VerticalPodAutoscaler.autoscaling.k8s.io",
        "Application.argoproj.io",
        "Rollout.argoproj.io",
        "WorkflowTemplate.argoproj.io",
        "Sensor.argoproj.io",
        "ServiceMonitor.monitoring.coreos.com",
        "VirtualService.networking.istio.io",
        "HTTPRoute.gateway.networking.k8s.io",
        "SealedSecret.bitnami.com",
        "HelmRelease.helm.toolkit.fluxcd.io",
        "Kustomization.kustomize.toolkit.fluxcd.io",
        "Composition.apiextensions.crossplane.io",
        "Service.serving.knative.dev",
        "Kafka.kafka.strimzi.io",
        "IngressRoute.traefik.io",
        "ClusterPolicy.kyverno.io",
        "ConstraintTemplate.templates.gatekeeper.sh",
        "IPAddressPool.metallb.io",
        "CiliumNetworkPolicy.cilium.io",
        "GlobalNetworkPolicy.crd.projectcalico.org",
        "Cluster.postgresql.cnpg.io",
        "Backup.velero.io",
        "Pipeline.tekton.dev",
    ],
)
def test_the_usual_operators_are_known(key: str) -> None:
    """Their kinds have a schema and a scope in every environment."""
    kind, _, group = key.partition(".")
    assert API.knows(group, kind)
    assert API.is_namespaced(group, kind) is not None
    assert API.project(group, kind)


def test_every_kind_leads_to_a_schema() -> None:
    """In each version that is served; one at least is, or the kind is one that is gone."""
    for group, kind in all_kinds():
        custom = shipped(group, kind)
        assert custom is not None
        assert custom.versions or custom.gone, (group, kind)
        for version in custom.versions:
            node = API.node(group, version, kind)
            assert node is not None
            assert node.type == "map", (group, kind, version)


def test_the_page_names_the_source_of_every_kind() -> None:
    """With its version and its licence."""
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    assert [row[0].removeprefix("| ") for row in rows] == [source.project for source in SOURCES]
    assert all(row[2] and row[3] for row in rows)
    projects = {f"{row[0].removeprefix('| ')} {row[2]}" for row in rows}
    assert set(starmap(API.project, all_kinds())) <= projects
    assert sum(int(row[4]) for row in rows) == len(list(all_kinds()))


@pytest.mark.oracle
def test_the_files_are_regenerated_to_the_byte() -> None:
    """Of the projects that are Go modules, where they are in the module cache."""
    ours = [
        source for source in SOURCES if source.origin.startswith(("github.com/cert-manager", "sigs.k8s.io/gateway"))
    ]
    try:
        made = collect(ours, ENVIRON if REQUIRED else {**ENVIRON, "GOPROXY": "off"})
    except MissingSourceError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))
    for name in ("cert-manager.io", "acme.cert-manager.io", "gateway.networking.x-k8s.io"):
        assert made[name].text() == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def test_what_another_release_may_take_is_a_doubt() -> None:
    """A type is wrong in every release; a field that is missing, or that nobody knows, may be right in another."""
    assert shortcomings(API, CERTIFICATE, with_doubts=True) == []
    spec = {"secretName": ["web-tls"], "issuerRef": {"name": "ca"}, "dnsName": "a.example"}
    certain = shortcomings(API, {**CERTIFICATE, "spec": spec})
    assert [found.pointer for found in certain] == [("spec", "secretName")]
    doubts = shortcomings(API, {**CERTIFICATE, "spec": {"dnsName": "a.example"}}, with_doubts=True)
    assert [(found.pointer, found.is_certain) for found in doubts] == [
        (("spec", "dnsName"), False),
        (("spec", "issuerRef"), False),
        (("spec", "secretName"), False),
    ]
    assert "did you mean `dnsNames`?" in doubts[0].what
    assert "cert-manager v" in doubts[0].what


def test_where_clusters_have_a_definition_that_takes_everything_a_type_is_a_doubt() -> None:
    """Argo Workflows was installed with its minimal definitions until 4.0: `value: 5` is right there."""
    arguments = {"parameters": [{"name": "count", "value": 5}]}
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "count", "labels": {"of": 5}},
        "spec": {"entrypoint": "main", "arguments": arguments, "templates": [{"name": "main", "suspend": {}}]},
    }
    told = {one.pointer: one.is_certain for one in shortcomings(API, workflow, with_doubts=True)}
    assert told == {
        ("metadata", "labels", "of"): True,
        ("spec", "arguments", "parameters", 0, "value"): False,
    }


def test_a_definition_of_the_repository_goes_before() -> None:
    """It is the one of the cluster: what it lacks is wrong."""
    root = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"old": {"type": "string"}}}}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": "cert-manager.io",
            "names": {"kind": "Certificate"},
            "versions": [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": root}}],
        },
    }
    api = API.with_crds([crd])
    assert api.project("cert-manager.io", "Certificate") == ""
    assert [found.pointer[-1] for found in shortcomings(api, CERTIFICATE)] == ["secretName", "issuerRef", "dnsNames"]


@pytest.mark.parametrize(
    ("group", "kind", "way", "keys", "words"),
    [
        ("external-secrets.io", "ExternalSecret", "spec.data", ("secretKey",), "the field that names items"),
        ("argoproj.io", "Application", "spec.source.helm.parameters", ("name",), "the field that names items"),
        ("keda.sh", "TriggerAuthentication", "spec.secretTargetRef", ("parameter",), "the field that names items"),
        ("keda.sh", "TriggerAuthentication", "spec.boundServiceAccountToken", ("parameter",), "the field that names"),
        ("monitoring.coreos.com", "Prometheus", "spec.volumes", ("name",), "core.v1.Volume"),
        ("gateway.networking.k8s.io", "Gateway", "spec.listeners", ("name",), "x-kubernetes-list-map-keys"),
        ("postgresql.cnpg.io", "Cluster", "spec.env", ("name",), "core.v1.EnvVar"),
    ],
)
def test_lists_merge_by_key(group: str, kind: str, way: str, keys: tuple[str, ...], words: str) -> None:
    """By what the definition says, by the type of Kubernetes that it embeds, by what the operator says elsewhere."""
    custom = shipped(group, kind)
    assert custom is not None
    node = at(API.node(group, next(iter(custom.versions)), kind), way)
    assert node is not None
    assert node.rule.keys == keys
    assert words in node.rule.reason


def test_merge_keys_of_the_project_go_before_an_operators_definition() -> None:
    """Named with the group or without it; the rest of the definition holds."""
    for group in ("external-secrets.io", ""):
        rule = MergeKeyRule(kind="ExternalSecret", group=group, path="spec.dataFrom", keys=("extract",))
        api = API.with_merge_keys([rule])
        node = at(api.node("external-secrets.io", "v1", "ExternalSecret"), "spec.dataFrom")
        assert node is not None
        assert node.rule.keys == ("extract",)
        assert "mergeKeys of envc.yaml" in node.rule.reason
        data = at(api.node("external-secrets.io", "v1", "ExternalSecret"), "spec.data")
        assert data is not None
        assert data.rule.keys == ("secretKey",)
        assert api.knows("external-secrets.io", "ExternalSecret")


def test_every_entry_of_the_table_is_a_list_of_the_operator() -> None:
    """The table of merge keys names no field that the operator's current definition lacks."""
    for family in FAMILIES:
        for kind in family.kinds:
            custom = shipped(family.group, kind)
            if custom is None or not custom.versions:
                continue
            node = API.node(family.group, next(iter(custom.versions)), kind)
            assert node is not None
            assert any(at(node, way) is not None for way in family.lists), (family.group, kind)


def test_a_slip_in_a_kind_of_an_operator_is_a_doubt() -> None:
    """With the kind that is meant; a kind that resembles none may be of another release."""
    slip = shortcomings(API, {**CERTIFICATE, "kind": "Certificat"}, with_doubts=True)
    assert [(found.pointer, found.is_certain) for found in slip] == [(("kind",), False)]
    assert "did you mean `Certificate`?" in slip[0].what
    assert shortcomings(API, {**CERTIFICATE, "kind": "Ledger"}, with_doubts=True) == []
