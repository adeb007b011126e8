"""What the resources of one environment need of each other: the edges of the dependency graph."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.podspecs import containers, maps_in, pod_template
from envcompile.kubernetes.references import object_references, pod_references

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.model import Resource, ResourceId

DEPENDS_ON_ANNOTATION = "envcompile.dev/depends-on"
"""On a resource: what must be there first, as `KIND/NAME`, comma-separated."""

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*")


class ReferenceIndex:
    """The resources of one environment by the names that others call them."""

    __slots__ = ("_by_kind", "_crds", "_namespaces", "_secrets", "_services")

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._by_kind: dict[tuple[str, str, str], ResourceId] = {}
        self._secrets: dict[tuple[str, str], ResourceId] = {}
        self._crds: dict[tuple[str, str], ResourceId] = {}
        self._namespaces: dict[str, ResourceId] = {}
        self._services: dict[tuple[str, str], ResourceId] = {}
        for resource in resources:
            identity, value = resource.id, resource.value
            self._by_kind[identity.kind, identity.namespace, identity.name] = identity
            if identity.kind in {"Secret", "SealedSecret"}:
                self._secrets[identity.namespace, identity.name] = identity
            elif identity.kind == "ExternalSecret":
                target = _text(value, "spec", "target", "name") or identity.name
                self._secrets[identity.namespace, target] = identity
            elif identity.kind == "CustomResourceDefinition":
                self._crds[_text(value, "spec", "group"), _text(value, "spec", "names", "kind")] = identity
            elif identity.kind == "Namespace":
                self._namespaces[identity.name] = identity
            elif identity.kind == "Service":
                self._services[identity.namespace, identity.name] = identity
                for ending in ("", ".svc", ".svc.cluster.local"):
                    self._services["", f"{identity.name}.{identity.namespace}{ending}"] = identity

    def needs(self, resource: Resource) -> set[ResourceId]:
        """What must exist before the resource, as far as it is among the environment's resources."""
        found = set(self._needs(resource))
        found.discard(resource.id)
        return found

    def _needs(self, resource: Resource) -> Iterator[ResourceId]:
        identity, value = resource.id, resource.value
        namespace = identity.namespace
        if namespace in self._namespaces:
            yield self._namespaces[namespace]
        if (identity.group, identity.kind) in self._crds:
            yield self._crds[identity.group, identity.kind]
        for wanted in _listed(value):
            kind, _, name = wanted.partition("/")
            yield from self._named(kind.partition(".")[0], namespace, name)
        if pod_template(identity, value) is not None:
            yield from self._needs_of_pods(resource)
        for kind, name in object_references(identity.kind, value):
            yield from self._named(kind, namespace, name)

    def _needs_of_pods(self, resource: Resource) -> Iterator[ResourceId]:
        namespace = resource.id.namespace
        for reference in pod_references(pod_template(resource.id, resource.value)):
            yield from self._named(reference.kind, namespace, reference.name)
        for container in containers(resource.id, resource.value):
            for variable in maps_in(container, "env"):
                text = variable.get("value")
                if isinstance(text, str):
                    for host in _hosts(text):
                        service = self._services.get((namespace, host)) or self._services.get(("", host))
                        if service is not None:
                            yield service

    def _named(self, kind: str, namespace: str, name: str) -> Iterator[ResourceId]:
        if kind == "Secret":
            if (namespace, name) in self._secrets:
                yield self._secrets[namespace, name]
            return
        for key in ((kind, namespace, name), (kind, "", name)):
            if key in self._by_kind:
                yield self._by_kind[key]


def _listed(value: dict[str, Any]) -> list[str]:
    annotations = value["metadata"].get("annotations") or {}
    text = annotations.get(DEPENDS_ON_ANNOTATION)
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else []


def _hosts(text: str) -> Iterator[str]:
    """The host names in the value of an environment variable: `redis`, `http://orders:8080/x`, `a:1,b:2`."""
    for part in re.split(r"[,\s]+", text):
        rest = part.partition("://")[2] or part
        rest = rest.rpartition("@")[2].partition("/")[0].partition(":")[0]
        if _HOST.fullmatch(rest):
            yield rest


def _text(value: Any, *path: str) -> str:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
