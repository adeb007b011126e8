"""Values of the chart tell the truth: what is one value, what one switch, and what they are called."""

from __future__ import annotations

from typing import Any

from envcompile.chart import emit
from envcompile.yamlio import load_all
from tests.chart.samples import chart_input, config_map, service, with_namespace


def values_of(resources: dict[str, list[dict[str, Any]]]) -> tuple[dict[str, Any], dict[str, str]]:
    """The chart's values, and all its files."""
    files = emit(chart_input(resources))
    (values,) = load_all(files["values.yaml"].encode(), "values.yaml")
    return values, files


def namespace(name: str) -> dict[str, Any]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def test_namespaces_without_a_common_object_are_not_one_value() -> None:
    """Case chart-namespaces-paired: each stays what it is; the one that objects share follows the environment."""
    values, files = values_of({
        "dev": [
            *with_namespace("core-dev", config_map("settings", a="1")),
            *with_namespace("load-tests", config_map("load", a="1")),
        ],
        "prod": [
            *with_namespace("core", config_map("settings", a="2")),
            *with_namespace("payments", config_map("ledger", a="1")),
        ],
    })
    assert values["global"] == {"namespace": "core-dev"}
    assert "namespace: load-tests\n" in files["templates/load/configmap.yaml"]
    assert "namespace: payments\n" in files["templates/ledger/configmap.yaml"]


def test_switches_are_named_after_what_they_switch() -> None:
    """Case chart-flags-named-after-environments: an application each, where a group shares nothing but where it is."""
    values, files = values_of({
        "dev": [config_map("settings", a="1")],
        "prod": [config_map("settings", a="1"), config_map("ledger"), service("ledger"), namespace("payments")],
    })
    assert "global" not in values
    assert (values["ledger"]["enabled"], values["payments"]["enabled"]) == (False, False)
    assert not any("onlyProd" in text or "exceptDev" in text for text in files.values())


def test_no_name_of_a_value_carries_an_environments_name() -> None:
    """Case chart-cannot-be-published, 5: an object whose name differs is called by what is left of it."""
    hook = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    values, files = values_of({
        name: [{**hook, "metadata": {"name": f"gadget-{name}"}, "webhooks": []}, config_map("gadget", a=name)]
        for name in ("dev", "prod")
    })
    assert values["global"]["names"] == {"gadget": "gadget-dev"}
    assert not any("gadgetDev" in text for text in files.values())
