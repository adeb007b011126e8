"""What the chart as a whole has to know of each resource: enough to arrange it without looking at its value again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from envcompile.chart.needs import hosts_of
from envcompile.chart.remarks import (
    Oddity,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    oddity_of,
)
from envcompile.chart.workloads import POD_TEMPLATES, as_map, as_maps, down, pod_template, references

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = tuple[str, str, str, str]

OF_SELECTOR: Final = 2
"""The number of the map of labels by which a resource selects others."""

MAKE_SECRETS: Final = {"ExternalSecret": ("spec", "target", "name"), "Certificate": ("spec", "secretName")}
"""Where resources say the name of the Secret that a controller makes of them."""


class Facts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of one resource in one environment."""

    app: str
    key: Key
    """Group, kind, namespace and name; a generated name counts with a `~` before it."""
    text: str
    """What tells resources of one generated name apart, and CustomResourceDefinitions of one name; else empty."""
    namespace: str | bool | None
    """As it is written; None where it is left out, False for what is no text."""
    name: str | None
    """As it is written; None for what is no text."""
    labels: tuple[tuple[int, str, str, str | None], ...]
    """Number and family of a map of labels or annotations, key, value; the value is None when it is no text."""


class Uses(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one resource says of others."""

    labels: dict[str, str]
    """The labels of a workload's pods."""
    used: tuple[tuple[str, str], ...]
    """Kind and name of what a workload's pods read."""
    selector: dict[str, str]
    """The labels of the pods it selects; empty for one that selects none, or in another way."""
    target: str
    """The name of what it serves, when it says one."""
    hosts: tuple[str, ...]
    """Names that its configuration uses like hosts."""
    oddity: Oddity
    makes: tuple[str, ...] = ()
    """The names of the Secrets that a controller makes of it."""


def identity(value: Any) -> Key:
    """Group, kind, namespace and name; a generated name counts with a `~` before it."""
    metadata = value.get("metadata") or {}
    version = str(value.get("apiVersion", ""))
    group = version.rpartition("/")[0]
    name = metadata.get("name")
    if name is None:
        name = f"~{metadata.get('generateName', '')}"
    return (group, str(value["kind"]), str(metadata.get("namespace") or ""), str(name))


def flatten(value: Any) -> Iterator[dict[str, Any]]:
    """The resources of a document: the items of a `List` one by one, with the kind their list implies."""
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        return
    items = value.get("items")
    if value["kind"].endswith("List") and isinstance(items, list):
        for item in items:
            if isinstance(item, dict) and "kind" not in item:
                yield {"apiVersion": value.get("apiVersion"), "kind": value["kind"].removesuffix("List"), **item}
            else:
                yield from flatten(item)
    else:
        yield value


def facts_of(app: str, value: dict[str, Any]) -> Facts:
    """What is known of a resource."""
    metadata = as_map(value.get("metadata"))
    key = identity(value)
    namespace = metadata.get("namespace", None if "namespace" not in metadata else False)
    name = metadata.get("name")
    text = ""
    if key[3].startswith("~"):
        text = json.dumps(value, sort_keys=True)
    elif is_crd(key):
        text = hashlib.sha256(json.dumps(_by_worth(value), sort_keys=True).encode()).hexdigest()
    return Facts(
        app,
        key,
        text,
        namespace if namespace is None or isinstance(namespace, str) else False,
        name if isinstance(name, str) else None,
        _labels_of(key, value),
    )


def json_of(value: Any) -> bytes:
    """A resource as JSON."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError):  # keys and numbers that only Python's own module writes
        return json.dumps(value, default=str).encode()


def is_crd(key: Key) -> bool:
    """Whether a resource defines a kind of custom resources."""
    return key[1] == "CustomResourceDefinition" and key[0] == "apiextensions.k8s.io"


def is_secret(key: Key) -> bool:
    """Whether a resource is a Secret."""
    return key[1] == "Secret" and not key[0]


def may_show(facts: Facts) -> bool:
    """Whether the facts of a Secret may hold its values: a tool has put them into an annotation, or it has no name."""
    return bool(facts.text) or any(family == "annotations" for _, family, _, _ in facts.labels)


def _by_worth(value: Any) -> Any:
    """A value in which numbers of one worth look alike."""
    if isinstance(value, dict):
        return {key: _by_worth(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_by_worth(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _labels_of(key: Key, value: dict[str, Any]) -> tuple[tuple[int, str, str, str | None], ...]:
    return tuple([
        (position, family, name, item if isinstance(item, str) else None)
        for position, (family, labels) in enumerate(_label_maps(key, value))
        if isinstance(labels, dict)
        for name, item in labels.items()
    ])


def _label_maps(key: Key, resource: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The maps of labels and annotations that a resource is known to have, each with the key that holds it."""
    metadata = as_map(resource.get("metadata"))
    yield "labels", metadata.get("labels")
    yield "annotations", metadata.get("annotations")
    selector = down(resource, ("spec", "selector"))
    yield "labels", as_map(selector).get("matchLabels", selector)
    steps = POD_TEMPLATES.get((key[0], key[1]))
    if steps:
        template = as_map(as_map(down(resource, steps)).get("metadata"))
        yield "labels", template.get("labels")
        yield "annotations", template.get("annotations")


def uses_of(value: dict[str, Any]) -> Uses:
    """What a resource says of others."""
    group, kind, _, _ = identity(value)
    labels: dict[str, str] = {}
    used: list[tuple[str, str]] = []
    if (group, kind) in POD_TEMPLATES:
        template = pod_template(group, value) or {}
        labels = _texts(as_map(as_map(template.get("metadata")).get("labels")))
        found = references(as_map(template.get("spec")))
        for other, names in (
            ("ConfigMap", found.config_maps),
            ("Secret", found.secrets),
            ("PersistentVolumeClaim", found.claims),
            ("ServiceAccount", {found.service_account} - {""}),
        ):
            used += [(other, name) for name in sorted(names)]
    selector, target = _served(kind, value)
    return Uses(
        labels,
        tuple(used),
        selector,
        target,
        hosts_of(group, kind, value),
        oddity_of(value),
        _made_secrets(kind, value),
    )


def _made_secrets(kind: str, resource: dict[str, Any]) -> tuple[str, ...]:
    steps = MAKE_SECRETS.get(kind)
    name = down(resource, steps) if steps is not None else None
    if name is None and kind == "ExternalSecret":
        name = as_map(resource.get("metadata")).get("name")
    return (name,) if isinstance(name, str) else ()


def _texts(labels: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if isinstance(value, str)}


def _served(kind: str, resource: dict[str, Any]) -> tuple[dict[str, str], str]:
    """The labels of the pods that a resource of another kind is for, or the name of what it serves."""
    spec = as_map(resource.get("spec"))
    selector: dict[str, Any] = {}
    target: Any = ""
    match kind:
        case "Service":
            selector = as_map(spec.get("selector"))
        case "PodDisruptionBudget":
            selector = as_map(down(spec, ("selector", "matchLabels")))
        case "NetworkPolicy":
            selector = as_map(down(spec, ("podSelector", "matchLabels")))
        case "HorizontalPodAutoscaler" | "ScaledObject":
            target = str(down(spec, ("scaleTargetRef", "name")))
        case "VerticalPodAutoscaler":
            target = str(down(spec, ("targetRef", "name")))
        case "RoleBinding" | "ClusterRoleBinding":
            accounts = {str(item.get("name")) for item in as_maps(resource.get("subjects"))}
            target = accounts.pop() if len(accounts) == 1 else ""
        case "Ingress":
            backends = {*_backends(spec)}
            target = backends.pop() if len(backends) == 1 else ""
    texts = _texts(selector)
    return (texts if len(texts) == len(selector) else {}), target


def _backends(spec: dict[str, Any]) -> Iterator[str]:
    holders = [as_map(spec.get("defaultBackend")), as_map(spec.get("backend"))]
    for rule in as_maps(spec.get("rules")):
        holders += [as_map(path.get("backend")) for path in as_maps(as_map(rule.get("http")).get("paths"))]
    for backend in holders:
        name = down(backend, ("service", "name")) or backend.get("serviceName")
        if isinstance(name, str):
            yield name
