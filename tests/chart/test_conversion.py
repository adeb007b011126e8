"""Charts of manifests that never saw envc: Secrets, CRDs, warnings, size."""

from __future__ import annotations

import base64
import random

from envcompile.chart import ChartOptions, convert, release_size, size_warning
from tests.chart.samples import chart_input, config_map, deployment, load

_SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "db", "namespace": "shop", "labels": {"a": "b"}},
    "type": "Opaque",
    "stringData": {"user": "admin"},
    "data": {"password": "aHVudGVyMg=="},
}


def test_secrets_are_kept_with_a_loud_warning() -> None:
    """The chart must render what was converted, but nobody shall commit it unawares."""
    made = convert("shop", {"prod": [("", _SECRET)]})
    assert made.warnings == (
        (
            "the chart holds the data of 1 Secrets (db): do not commit it; "
            "`--secrets external` or `--secrets skip` keeps them out"
        ),
    )


def test_secrets_can_come_from_a_store() -> None:
    """An ExternalSecret for each, with its labels, its type and all its keys."""
    made = convert("shop", {"prod": [("", _SECRET)]}, secrets="external", store="vault")
    assert load(
        made.files["templates/db/externalsecret.yaml"].replace("{{ .Values.global.namespace | quote }}", "shop")
    ) == {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "db", "namespace": "shop", "labels": {"a": "b"}},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"},
            "target": {
                "name": "db",
                "creationPolicy": "Owner",
                "template": {"metadata": {"labels": {"a": "b"}}, "type": "Opaque"},
            },
            "data": [
                {"secretKey": "password", "remoteRef": {"key": "db", "property": "password"}},
                {"secretKey": "user", "remoteRef": {"key": "db", "property": "user"}},
            ],
        },
    }
    assert not any("hunter2" in text or "aHVudGVyMg" in text for text in made.files.values())


def test_secrets_can_be_left_out() -> None:
    """Then they must be in the cluster."""
    made = convert("shop", {"prod": [("", _SECRET), ("", config_map("a"))]}, secrets="skip")
    assert made.expected == {"prod": [config_map("a")]}
    assert made.warnings == ("1 Secrets (db) are left out: they must be in the cluster before the chart is installed",)


def test_what_helm_treats_in_ways_of_its_own_is_explained() -> None:
    """Generated names, old API versions, hooks, workloads without a selector."""
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "run-"}, "spec": {}}
    hook = config_map("hooked")
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-install"}
    old = deployment("old")
    old["apiVersion"] = "extensions/v1beta1"
    del old["spec"]["selector"]
    made = convert("shop", {"prod": [("", item) for item in (job, hook, old)]})
    assert made.warnings == (
        (
            "Job/run-: Helm prints objects with a generateName, but cannot install or upgrade them, "
            "and `helm lint --strict` warns of their empty name"
        ),
        "ConfigMap/hooked: the annotation helm.sh/hook makes Helm run these apart from a release",
        "Deployment/old: `helm lint --strict` warns of their old API version",
        "Deployment/old: `helm lint` refuses a workload without a selector",
    )
    assert all(f"- {warning}\n" in made.files["README.md"] for warning in made.warnings)


def test_a_release_that_comes_near_helms_limit_is_warned_of() -> None:
    """From 70 % of 1 MiB, with the mend that helps."""
    noise = base64.b85encode(random.Random(1).randbytes(500_000)).decode()
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a.b"},
        "spec": {"description": noise},
    }
    made = convert("shop", {"prod": [("", crd)]})
    (warning,) = made.warnings
    assert warning.startswith("the release of shop takes about ")
    assert warning.endswith(" % of the 1 MiB Helm can store; keep the CRDs in a chart of their own: `--crds separate`")
    assert not convert("shop", {"prod": [("", crd)]}, options=ChartOptions(crds="separate")).warnings
    small = chart_input({"prod": [config_map("a", b="c")]})
    assert size_warning(small, release_size(small, {})) is None
