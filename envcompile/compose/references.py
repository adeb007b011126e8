"""What resources are called by others, and what they need of others: the edges of the dependency graph."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.kindwords import kinds_meant
from envcompile.kubernetes.podspecs import containers, maps_in, pod_template
from envcompile.kubernetes.references import object_references, pod_references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.compose.names import Name
    from envcompile.model import ResourceId

DEPENDS_ON_ANNOTATION = "envcompile.dev/depends-on"
"""On a resource: what must be there first, as `KIND/NAME`, comma-separated."""

_HOST = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*"


def names_of(identity: ResourceId, value: dict[str, Any]) -> Iterator[Name]:
    """Every name that others may call a resource by."""
    yield (f"kind {identity.kind.lower()}", identity.namespace, identity.name)
    if identity.kind in {"Secret", "SealedSecret"}:
        yield ("secret", identity.namespace, identity.name)
    elif identity.kind == "ExternalSecret":
        yield ("secret", identity.namespace, _text(value, "spec", "target", "name") or identity.name)
    elif identity.kind == "CustomResourceDefinition":
        yield ("crd", _text(value, "spec", "group"), _text(value, "spec", "names", "kind"))
    elif identity.kind == "Namespace":
        yield ("namespace", "", identity.name)
    elif identity.kind == "Service":
        yield ("host", identity.namespace, identity.name)
        for ending in ("", ".svc", ".svc.cluster.local"):
            yield ("host", "", f"{identity.name}.{identity.namespace}{ending}")


def needs_of(identity: ResourceId, value: dict[str, Any]) -> Iterator[tuple[Name, ...]]:
    """What must exist before a resource: of each tuple of names the first that something is called by."""
    namespace = identity.namespace
    yield (("namespace", "", namespace),)
    yield (("crd", identity.group, identity.kind),)
    for kind, name in depends_on(value):
        yield from _named_by_words(kind, namespace, name)
    if pod_template(identity, value) is not None:
        yield from _needs_of_pods(identity, value)
    for kind, name in object_references(identity.kind, value):
        yield from _named(kind, namespace, name)


def _needs_of_pods(identity: ResourceId, value: dict[str, Any]) -> Iterator[tuple[Name, ...]]:
    namespace = identity.namespace
    for reference in pod_references(pod_template(identity, value)):
        yield from _named(reference.kind, namespace, reference.name)
    for container in containers(identity, value):
        for variable in maps_in(container, "env"):
            text = variable.get("value")
            if isinstance(text, str):
                for host in hosts_in(text):
                    yield (("host", namespace, host), ("host", "", host))


def _named(kind: str, namespace: str, name: str) -> Iterator[tuple[Name, ...]]:
    """A resource of the namespace, and one of the whole cluster: whichever there is."""
    if not name:
        return
    if kind == "Secret":
        yield (("secret", namespace, name),)
        return
    word = f"kind {kind.lower()}"
    yield ((word, namespace, name),)
    if namespace:
        yield ((word, "", name),)


def _named_by_words(word: str, namespace: str, name: str) -> Iterator[tuple[Name, ...]]:
    """The same, by the words that people use for kinds: `Deployment`, `deployment`, `deploy`."""
    kinds = sorted(kinds_meant(word))
    if "secret" in kinds:
        yield from _named("Secret", namespace, name)
        return
    yield tuple((f"kind {kind}", namespace, name) for kind in kinds)
    if namespace:
        yield tuple((f"kind {kind}", "", name) for kind in kinds)


def depends_on(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name of what the annotation of a resource says must be there first."""
    annotations = value["metadata"].get("annotations") or {}
    text = annotations.get(DEPENDS_ON_ANNOTATION)
    for part in text.split(",") if isinstance(text, str) else ():
        kind, _, name = part.strip().partition("/")
        if name:
            yield kind.partition(".")[0], name


def hosts_in(text: str) -> Iterator[str]:
    """The host names in the value of an environment variable: `redis`, `http://orders:8080/x`, `a:1,b:2`."""
    for part in re.split(r"[,\s]+", text):
        rest = part.partition("://")[2] or part
        rest = rest.rpartition("@")[2].partition("/")[0].partition(":")[0]
        if re.fullmatch(_HOST, rest):
            yield rest


def _text(value: Any, *path: str) -> str:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
