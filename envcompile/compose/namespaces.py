"""References that follow an object into the namespace that an environment forces it into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.model import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from envcompile.model import Resource

    Change = Callable[["Moved"], str | None]

Moved = tuple[str, str, str]
"""Kind, namespace as the sources write it, and name of an object."""

_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_WEBHOOKS = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
_INJECTED = {"cert-manager.io/inject-ca-from": "Certificate", "cert-manager.io/inject-ca-from-secret": "Secret"}
"""cert-manager's CA injector: `NAMESPACE/NAME` (cert-manager docs, CA Injector)."""


def written_identity(resource: Resource) -> Moved | None:
    """What others call an object whose sources name another namespace than it ends up in; None when it stays."""
    written = resource.steps[0].after["metadata"].get("namespace")
    if not isinstance(written, str) or not resource.id.namespace or written == resource.id.namespace:
        return None
    return (resource.id.kind, written, resource.id.name)


def references_of(resource: Resource) -> tuple[Moved, ...]:
    """Every object that a resource names together with a namespace."""
    found: list[Moved] = []

    def note(reference: Moved) -> None:
        found.append(reference)

    _changed(resource.id.kind, resource.value, note)
    return tuple(dict.fromkeys(found))


def with_moved(resource: Resource, moved: Container[Moved], namespace: str, layer: str) -> Resource:
    """The resource with its references to moved objects led into their new namespace.

    Args:
        resource: the resource that names them.
        moved: the objects as the resource names them.
        namespace: the namespace that they are in now.
        layer: the layer that the step is booked on.
    """
    after = _changed(resource.id.kind, resource.value, lambda reference: namespace if reference in moved else None)
    if after is resource.value:
        return resource
    step = Step("setting", layer, None, ("forceNamespace",), resource.value, after)
    return resource._replace(value=after, steps=(*resource.steps, step))


def _changed(kind: str, value: dict[str, Any], change: Change) -> dict[str, Any]:
    """The value with every reference changed; the same object when none was."""
    if kind in _BINDINGS:
        value = _with_items(value, "subjects", lambda item: _placed(item, str(item.get("kind")), change))
    elif kind in _WEBHOOKS:
        value = _with_items(value, "webhooks", lambda item: _within(item, ("clientConfig", "service"), change))
    elif kind == "CustomResourceDefinition":
        value = _within(value, ("spec", "conversion", "webhook", "clientConfig", "service"), change)
    elif kind == "APIService":
        value = _within(value, ("spec", "service"), change)
    return _with_injection(value, change)


def _with_items(value: dict[str, Any], field: str, each: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    items = value.get(field)
    if not isinstance(items, list):
        return value
    changed = [each(item) if isinstance(item, dict) else item for item in items]
    return {**value, field: changed} if any(new is not old for new, old in zip(changed, items, strict=True)) else value


def _within(value: dict[str, Any], path: tuple[str, ...], change: Change) -> dict[str, Any]:
    """The value with the Service at a path placed anew."""
    below = value.get(path[0])
    if not isinstance(below, dict):
        return value
    after = _within(below, path[1:], change) if len(path) > 1 else _placed(below, "Service", change)
    return value if after is below else {**value, path[0]: after}


def _placed(reference: dict[str, Any], kind: str, change: Change) -> dict[str, Any]:
    namespace, name = reference.get("namespace"), reference.get("name")
    if not isinstance(namespace, str) or not isinstance(name, str):
        return reference
    after = change((kind, namespace, name))
    return reference if after is None or after == namespace else {**reference, "namespace": after}


def _with_injection(value: dict[str, Any], change: Change) -> dict[str, Any]:
    metadata = value["metadata"]
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict):
        return value
    changed: dict[str, str] = {}
    for key, kind in _INJECTED.items():
        namespace, slash, name = str(annotations.get(key, "")).partition("/")
        after = change((kind, namespace, name)) if slash else None
        if after is not None and after != namespace:
            changed[key] = f"{after}/{name}"
    return {**value, "metadata": {**metadata, "annotations": {**annotations, **changed}}} if changed else value
