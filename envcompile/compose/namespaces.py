"""References that follow an object into the namespace that an environment forces it into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.podspecs import WORKLOADS
from envcompile.model import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from envcompile.compose.names import Moved
    from envcompile.model import Resource

    Change = Callable[["Moved"], str | None]

_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_WEBHOOKS = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
_INJECTED = {"cert-manager.io/inject-ca-from": "Certificate", "cert-manager.io/inject-ca-from-secret": "Secret"}
"""cert-manager's CA injector: `NAMESPACE/NAME` (cert-manager docs, CA Injector)."""


_BY_FIELD: Final = {
    "backend": "Service",
    "backendRef": "Service",
    "backendRefs": "Service",
    "certificateRefs": "Secret",
    "claimRef": "PersistentVolumeClaim",
    "configMap": "ConfigMap",
    "configMapRef": "ConfigMap",
    "middlewares": "Middleware",
    "parentRef": "Gateway",
    "parentRefs": "Gateway",
    "secret": "Secret",
    "secretRef": "Secret",
    "service": "Service",
    "serviceAccount": "ServiceAccount",
    "serviceAccountRef": "ServiceAccount",
    "services": "Service",
}
"""What a map of a name and a namespace means that says no kind, by the field it stands in.

Sources: Gateway API (defaults of `parentRefs`, `backendRefs`, `certificateRefs`), Traefik, External Secrets, core/v1.
"""
_HOST: Final = re.compile(r"((?:\*\.)?)([a-z0-9][a-z0-9-]*)\.([a-z0-9][a-z0-9-]*)((?:\.svc(?:\..*)?)?)")
"""`SERVICE.NAMESPACE.svc.cluster.local` and its shorter forms (kubernetes.io, DNS for Services and Pods)."""
_PRINCIPAL: Final = re.compile(r"(.*/ns/)([^/]+)(/sa/)([^/]+)")
_ACCOUNT: Final = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")
_GROUP: Final = re.compile(r"system:serviceaccounts:([^:]+)")
"""The group of all accounts of a namespace (kubernetes.io, Authenticating: Service account tokens)."""
_IN_ADDRESS: Final = re.compile(
    r"(?<![\w-])([a-z0-9][a-z0-9-]{0,62})\.([a-z0-9][a-z0-9-]{0,62})(?=\.svc(?![\w-]))"
    r"|(?<=://)([a-z0-9][a-z0-9-]{0,62})\.([a-z0-9][a-z0-9-]{0,62})(?=[:/?#]|$)"
)
"""A Service's host within a text: with `.svc`, or where a URL has its host."""
_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The label that says a namespace's name (kubernetes.io, Well-Known Labels)."""
_PODS, _SERVICES, _ACCOUNTS = "pods of", "services of", "accounts of"
_OF_HOSTS: Final = re.compile(r"cert-manager\.io/.*|[a-z]+\.istio\.io/.*")
"""Kinds whose texts name Services by their hosts, accounts by their principals, and gateways as NAMESPACE/NAME."""
_SELECTORS: Final = frozenset({"namespaceSelector", "selector"})
_BY_NAME: Final = frozenset({"namespaces", "notNamespaces"})
"""Where Istio's policies list namespaces (AuthorizationPolicy, `source`)."""
_WHOLES: Final = {"Service": (_SERVICES,), "ServiceAccount": (_ACCOUNTS,), "Pod": (_PODS, _ACCOUNTS)}
_OF_WORKLOADS: Final = {kind: (_PODS, _ACCOUNTS) for _, kind in WORKLOADS}
"""What is moved of a namespace with an object: a pod runs as an account of its namespace, named or not."""
_TEXT_ONLY: Final = frozenset({"ConfigMap", "Secret", "CustomResourceDefinition"})


def written_identity(resource: Resource) -> Moved | None:
    """What others call an object whose sources name another namespace than it ends up in; None when it stays."""
    written = resource.steps[0].after["metadata"].get("namespace")
    if not isinstance(written, str) or not resource.id.namespace or written == resource.id.namespace:
        return None
    return (resource.id.kind, written, resource.id.name)


def with_left(moved: Iterable[Moved]) -> frozenset[Moved]:
    """Moved objects, with what of a namespace was moved out of it as a whole: pods, Services, accounts.

    A selector of a namespace and the group of its accounts name no object: they mean whichever of these are in it.
    """
    found = frozenset(moved)
    return found | {
        (whole, namespace, "")
        for kind, namespace, _ in found
        for whole in _WHOLES.get(kind, _OF_WORKLOADS.get(kind, ()))
    }


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
        value = _with_items(value, "subjects", lambda item: _subject(item, change))
    elif kind in _WEBHOOKS:
        value = _with_items(value, "webhooks", lambda item: _webhook(item, change))
    elif kind == "CustomResourceDefinition":
        value = _within(value, ("spec", "conversion", "webhook", "clientConfig", "service"), change)
    elif kind == "APIService":
        value = _within(value, ("spec", "service"), change)
    elif kind not in _TEXT_ONLY and isinstance(value.get("spec"), dict):
        has_hosts = _OF_HOSTS.fullmatch(str(value.get("apiVersion"))) is not None
        spec = _led(value["spec"], "spec", change, has_hosts=has_hosts)
        value = value if spec is value["spec"] else {**value, "spec": spec}
    return _with_injection(value, change)


def _subject(item: dict[str, Any], change: Change) -> dict[str, Any]:
    """A subject of a binding; a User may be the account that a ServiceAccount logs in as, a Group all of one."""
    if item.get("kind") == "Group" and (group := _GROUP.fullmatch(str(item.get("name")))):
        after = change((_ACCOUNTS, group[1], ""))
        return item if after is None or after == group[1] else {**item, "name": f"system:serviceaccounts:{after}"}
    account = _ACCOUNT.fullmatch(str(item.get("name"))) if item.get("kind") == "User" else None
    if account is None:
        return _placed(item, str(item.get("kind")), change)
    after = change(("ServiceAccount", account[1], account[2]))
    moved = after is not None and after != account[1]
    return {**item, "name": f"system:serviceaccount:{after}:{account[2]}"} if moved else item


def _webhook(item: dict[str, Any], change: Change) -> dict[str, Any]:
    item = _within(item, ("clientConfig", "service"), change)
    selector = item.get("namespaceSelector")
    led = _selector(selector, change) if isinstance(selector, dict) else selector
    return item if led is selector else {**item, "namespaceSelector": led}


def _selector(value: dict[str, Any], change: Change) -> dict[str, Any]:
    """A selector with the names of namespaces that it asks for; Prometheus's operator lists them as `matchNames`."""
    changed: dict[str, Any] = {}
    labels = value.get("matchLabels")
    named = labels.get(_NAMESPACE_NAME) if isinstance(labels, dict) else None
    if isinstance(labels, dict) and isinstance(named, str):
        after = change((_PODS, named, ""))
        if after is not None and after != named:
            changed["matchLabels"] = {**labels, _NAMESPACE_NAME: after}
    expressions = value.get("matchExpressions")
    if isinstance(expressions, list):
        asked = [_expression(one, change) if isinstance(one, dict) else one for one in expressions]
        if any(new is not old for new, old in zip(asked, expressions, strict=True)):
            changed["matchExpressions"] = asked
    names = value.get("matchNames")
    if isinstance(names, list) and (led := _names(names, change, _SERVICES)) is not names:
        changed["matchNames"] = led
    return {**value, **changed} if changed else value


def _expression(value: dict[str, Any], change: Change) -> dict[str, Any]:
    names = value.get("values") if value.get("key") == _NAMESPACE_NAME else None
    led = _names(names, change) if isinstance(names, list) else names
    return value if led is names else {**value, "values": led}


def _names(names: list[Any], change: Change, other: str = _PODS) -> list[Any]:
    """Names of namespaces, each where its pods, or something else of it, are now; the same list when none changes."""
    led = [
        (change((_PODS, name, "")) or change((other, name, "")) or name) if isinstance(name, str) else name
        for name in names
    ]
    return names if led == names else list(dict.fromkeys(led))


def _led(value: Any, field: str, change: Change, *, has_hosts: bool) -> Any:
    """A part of a spec with the objects that it names in maps of kind, namespace and name, or in texts."""
    if isinstance(value, dict):
        named = value.get("kind")
        kind = named if isinstance(named, str) else _BY_FIELD.get(field, "")
        led = _placed(value, kind, change) if kind else value
        if field in _SELECTORS:
            led = _selector(led, change)
        elif "topologyKey" in value and isinstance(value.get("namespaces"), list):
            names = _names(value["namespaces"], change)
            led = led if names is value["namespaces"] else {**led, "namespaces": names}
        parts = {
            name: _led(item, name, change, has_hosts=has_hosts)
            for name, item in value.items()
            if isinstance(item, dict | list) or (isinstance(item, str) and (has_hosts or _may_hold_host(item)))
        }
        changed = {name: item for name, item in parts.items() if item is not value[name]}
        return {**led, **changed} if changed else led
    if isinstance(value, list):
        items = [_led(item, field, change, has_hosts=has_hosts) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if not isinstance(value, str):
        return value
    text = _in_text(value, field, change) if has_hosts else value
    return _in_address(text, change) if text == value and _may_hold_host(text) else text


def _may_hold_host(text: str) -> bool:
    return ".svc" in text or "://" in text


def _in_address(text: str, change: Change) -> str:
    """A text with the hosts of moved Services in it, such as the URL of an env var or an argument."""

    def led(found: re.Match[str]) -> str:
        name, namespace = found[1] or found[3], found[2] or found[4]
        after = change(("Service", namespace, name))
        return f"{name}.{after}" if after is not None else found[0]

    after = _IN_ADDRESS.sub(led, text)
    return text if after == text else after


def _in_text(text: str, field: str, change: Change) -> str:
    """A host, a principal or a gateway, in the namespace that its object is in now."""
    if found := _HOST.fullmatch(text):
        after = change(("Service", found[3], found[2]))
        return text if after is None or after == found[3] else f"{found[1]}{found[2]}.{after}{found[4]}"
    if found := _PRINCIPAL.fullmatch(text):
        after = change(("ServiceAccount", found[2], found[4]))
        return text if after is None or after == found[2] else f"{found[1]}{after}{found[3]}{found[4]}"
    if field in _BY_NAME:
        return change((_PODS, text, "")) or text
    namespace, slash, name = text.partition("/")
    after = change(("Gateway", namespace, name)) if slash and field == "gateways" else None
    return text if after is None or after == namespace else f"{after}/{name}"


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
