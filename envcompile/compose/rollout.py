"""Restarting pods when their configuration changes: an annotation for Reloader, or a checksum in the pod template.

A workload that carries any annotation of Reloader's has made its own choice, which stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.podspecs import map_pod_template, pod_template
from envcompile.kubernetes.references import CONFIGURATION, pod_references
from envcompile.model import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envcompile.model import Resource, ResourceId

    Configuration = tuple[str, str, str]
    """`ConfigMap` or `Secret`, namespace, name."""

RELOADER_ANNOTATION = "reloader.stakater.com/auto"
"""Belongs on the workload's own metadata (stakater/Reloader, README, "Auto Reload")."""

CHECKSUM_ANNOTATION = "envcompile.dev/config-checksum"

_RESTARTABLE = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")})


def is_restartable(identity: ResourceId) -> bool:
    """Tell whether a rollout can restart the pods of a resource."""
    return (identity.group, identity.kind) in _RESTARTABLE


def with_reloader(resource: Resource, layer: str) -> Resource:
    """The resource with Reloader's annotation when its pods read a ConfigMap or Secret.

    Args:
        resource: any resource.
        layer: the layer that the step is booked on.
    """
    if not is_restartable(resource.id) or not any(configuration_of(resource.id, resource.value)):
        return resource
    annotations = resource.value["metadata"].get("annotations") or {}
    if any("reloader.stakater.com/" in name for name in annotations):
        return resource
    return _stepped(resource, _annotated(resource.value, RELOADER_ANNOTATION, "true"), layer)


def with_checksum(resource: Resource, checksum: str, layer: str) -> Resource:
    """The workload with a checksum of its configuration in its pod template."""
    after = map_pod_template(
        resource.id, resource.value, lambda template: _annotated(template, CHECKSUM_ANNOTATION, checksum)
    )
    return _stepped(resource, after, layer)


def _stepped(resource: Resource, after: dict[str, Any], layer: str) -> Resource:
    if after is resource.value:
        return resource
    step = Step("setting", layer, None, ("rollout",), resource.value, after)
    return resource._replace(value=after, steps=(*resource.steps, step))


def checksum_of(read: Iterable[tuple[str, str]], namespace: str, digests: Mapping[Configuration, str]) -> str:
    """The checksum of what a workload's pods read; empty when nothing of it is in the environment.

    Args:
        read: kind and name of every ConfigMap and Secret that the pods read, sorted, each once.
        namespace: the workload's namespace.
        digests: the digest of each one's content.
    """
    from hashlib import sha256

    lines = [digests.get((kind, namespace, name), "") for kind, name in read]
    return sha256("\n".join(lines).encode()).hexdigest() if any(lines) else ""


def content_digest(identity: ResourceId, value: dict[str, Any]) -> str:
    """A digest of what the pods will read of a ConfigMap or Secret; a sealed secret counts by its sealed bytes."""
    import json
    from hashlib import sha256

    if configuration_kind(identity) is None:
        return ""
    content = {key: value.get(key) for key in ("data", "binaryData", "stringData", "spec")}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return sha256(canonical).hexdigest()


def configuration_kind(identity: ResourceId) -> str | None:
    """`ConfigMap` or `Secret`, as the pods of the cluster will know it; None for all other kinds."""
    return {"ConfigMap": "ConfigMap", "Secret": "Secret", "SealedSecret": "Secret"}.get(identity.kind)


def configuration_of(identity: ResourceId, value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (`ConfigMap` or `Secret`, name) that the pods of a workload read."""
    for reference in pod_references(pod_template(identity, value)):
        if reference.use in CONFIGURATION and reference.name:
            yield reference.kind, reference.name


def _annotated(value: dict[str, Any], name: str, text: str) -> dict[str, Any]:
    metadata = value.get("metadata") or {}
    annotations = (metadata.get("annotations") or {}) if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or name in annotations:
        return value
    return {**value, "metadata": {**metadata, "annotations": {**annotations, name: text}}}
