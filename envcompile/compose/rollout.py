"""Restarting pods when their configuration changes: an annotation for Reloader, or a checksum in the pod template.

A workload that carries any annotation of Reloader's has made its own choice, which stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.podspecs import map_pod_template, pod_template
from envcompile.kubernetes.references import CONFIGURATION, pod_references
from envcompile.model import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.model import Resource

RELOADER_ANNOTATION = "reloader.stakater.com/auto"
"""Belongs on the workload's own metadata (stakater/Reloader, README, "Auto Reload")."""

CHECKSUM_ANNOTATION = "envcompile.dev/config-checksum"

_RESTARTABLE = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")})


def with_rollout(resources: Sequence[Resource], mode: str, layer: str) -> tuple[Resource, ...]:
    """The resources with what makes their pods restart when a ConfigMap or Secret changes.

    Args:
        resources: the resources of one environment, secrets already sealed: a checksum never sees plaintext.
        mode: `none`, `reloader` or `checksum`, as `rollout:` of environment.yaml says.
        layer: the layer that the step is booked on.
    """
    if mode == "none":
        return tuple(resources)
    digests = _digests(resources) if mode == "checksum" else {}
    return tuple([_restarting(resource, mode, layer, digests) for resource in resources])


def _restarting(resource: Resource, mode: str, layer: str, digests: dict[tuple[str, str, str], str]) -> Resource:
    if (resource.id.group, resource.id.kind) not in _RESTARTABLE:
        return resource
    used = sorted(set(configuration_of(resource)))
    if not used:
        return resource
    if mode == "reloader":
        annotations = resource.value["metadata"].get("annotations") or {}
        if any("reloader.stakater.com/" in name for name in annotations):
            return resource
        after = _annotated(resource.value, RELOADER_ANNOTATION, "true")
    else:
        from hashlib import sha256

        lines = [digests.get((kind, resource.id.namespace, name), "") for kind, name in used]
        if not any(lines):
            return resource
        checksum = sha256("\n".join(lines).encode()).hexdigest()
        after = map_pod_template(
            resource.id, resource.value, lambda template: _annotated(template, CHECKSUM_ANNOTATION, checksum)
        )
    if after is resource.value:
        return resource
    step = Step("setting", layer, None, ("rollout",), resource.value, after)
    return resource._replace(value=after, steps=(*resource.steps, step))


def configuration_of(resource: Resource) -> Iterator[tuple[str, str]]:
    """Every (`ConfigMap` or `Secret`, name) that the pods of a workload read."""
    for reference in pod_references(pod_template(resource.id, resource.value)):
        if reference.use in CONFIGURATION and reference.name:
            yield reference.kind, reference.name


def _digests(resources: Sequence[Resource]) -> dict[tuple[str, str, str], str]:
    """(kind, namespace, name) -> digest of what the pods will read; a sealed secret counts by its sealed bytes."""
    import json
    from hashlib import sha256

    found = {}
    for resource in resources:
        kind = {"ConfigMap": "ConfigMap", "Secret": "Secret", "SealedSecret": "Secret"}.get(resource.id.kind)
        if kind is None:
            continue
        content = {key: resource.value.get(key) for key in ("data", "binaryData", "stringData", "spec")}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        found[kind, resource.id.namespace, resource.id.name] = sha256(canonical).hexdigest()
    return found


def _annotated(value: dict[str, Any], name: str, text: str) -> dict[str, Any]:
    metadata = value.get("metadata") or {}
    annotations = (metadata.get("annotations") or {}) if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or name in annotations:
        return value
    return {**value, "metadata": {**metadata, "annotations": {**annotations, name: text}}}
