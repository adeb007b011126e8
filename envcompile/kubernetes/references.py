"""Which other objects an object names, and where: one table for checks, rollouts, sync waves, the chart and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from envcompile.kubernetes.podspecs import CONTAINER_LISTS
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.model import Pointer

Use = Literal["env", "volume", "driver", "pull", "account", "claim"]
"""What a pod wants of an object: its environment, files, the credentials of a volume's driver, those for pulling
images, the account it acts as, or storage."""

CONFIGURATION: Final[frozenset[Use]] = frozenset({"env", "volume"})
"""The uses through which a pod's own programs read an object."""


class Reference(Record, frozen=True):
    """An object of its own namespace that a pod names."""

    kind: Literal["ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim"]
    name: str
    use: Use
    pointer: Pointer
    """Where it is named: the map with the name, or for a plain name the field."""
    key: str = ""
    """The key that must be there; empty when the whole object is taken."""
    optional: bool = False
    is_frozen: bool = False
    """True when it is read by `env` or mounted by `subPath`: a change of it reaches only new pods."""


# Source: kubernetes.io, API reference, Volume: the drivers that take credentials from a Secret of the pod's namespace.
_DRIVERS: Final[Mapping[str, tuple[str, str]]] = {
    "azureFile": ("", "secretName"),
    "cephfs": ("secretRef", "name"),
    "csi": ("nodePublishSecretRef", "name"),
    "flexVolume": ("secretRef", "name"),
    "iscsi": ("secretRef", "name"),
    "rbd": ("secretRef", "name"),
    "scaleIO": ("secretRef", "name"),
    "storageos": ("secretRef", "name"),
}


def pod_references(template: Any, at: Pointer = ()) -> Iterator[Reference]:
    """Everything that the pods of a template name; what has another shape than the API's is passed over.

    Args:
        template: a pod template, or a Pod: a map with `spec`.
        at: where it stands in its resource.
    """
    spec, base = _map(template, "spec"), (*at, "spec")
    for field in ("serviceAccountName", "serviceAccount"):
        if account := _text(spec, field):
            yield Reference("ServiceAccount", account, "account", (*base, field))
            break
    for position, secret in _maps(spec, "imagePullSecrets"):
        # A missing pull secret does not keep a pod from starting when its images can be had without.
        pointer = (*base, "imagePullSecrets", position, "name")
        yield Reference("Secret", _text(secret, "name"), "pull", pointer, optional=True)
    by_sub_path = set()
    for field in CONTAINER_LISTS:
        for position, container in _maps(spec, field):
            yield from _of_environment(container, (*base, field, position))
            for _, mount in _maps(container, "volumeMounts"):
                if _text(mount, "subPath") or _text(mount, "subPathExpr"):
                    by_sub_path.add(_text(mount, "name"))
    for position, volume in _maps(spec, "volumes"):
        yield from _of_volume(volume, (*base, "volumes", position), is_frozen=_text(volume, "name") in by_sub_path)


def _of_environment(container: dict[str, Any], at: Pointer) -> Iterator[Reference]:
    for position, variable in _maps(container, "env"):
        source = _map(variable, "valueFrom")
        way = (*at, "env", position, "valueFrom")
        for field, reference in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            yield from _named(source, field, reference, "env", way, is_frozen=True)
    for position, source in _maps(container, "envFrom"):
        for field, reference in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            yield from _named(source, field, reference, "env", (*at, "envFrom", position), is_frozen=True)


def _of_volume(volume: dict[str, Any], at: Pointer, *, is_frozen: bool) -> Iterator[Reference]:
    yield from _named(volume, "configMap", "ConfigMap", "volume", at, is_frozen=is_frozen)
    yield from _named(volume, "secret", "Secret", "volume", at, called="secretName", is_frozen=is_frozen)
    for position, source in _maps(volume, "projected", "sources"):
        way = (*at, "projected", "sources", position)
        yield from _named(source, "configMap", "ConfigMap", "volume", way, is_frozen=is_frozen)
        yield from _named(source, "secret", "Secret", "volume", way, is_frozen=is_frozen)
    for driver, (field, called) in _DRIVERS.items():
        if name := _text(volume, driver, *([field] if field else []), called):
            yield Reference("Secret", name, "driver", (*at, driver, *([field] if field else [])))
    if claim := _text(volume, "persistentVolumeClaim", "claimName"):
        yield Reference("PersistentVolumeClaim", claim, "claim", (*at, "persistentVolumeClaim", "claimName"))


def _named(
    holder: dict[str, Any],
    field: str,
    kind: Any,
    use: Use,
    at: Pointer,
    *,
    called: str = "name",
    is_frozen: bool,
) -> Iterator[Reference]:
    """The object that a field names, and each of its keys that the field lists."""
    source = _map(holder, field)
    if not source:
        return
    name, optional, way = _text(source, called), source.get("optional") is True, (*at, field)
    yield Reference(kind, name, use, way, _text(source, "key"), optional, is_frozen)
    for position, item in _maps(source, "items"):
        yield Reference(kind, name, use, (*way, "items", position), _text(item, "key"), optional, is_frozen)


def object_references(kind: str, value: Any) -> Iterator[tuple[str, str]]:
    """The (kind, name) pairs that a resource other than a workload names in fields of its own."""
    target = _map(value, "spec", "scaleTargetRef") or _map(value, "spec", "targetRef")
    if target:
        yield _text(target, "kind") or "Deployment", _text(target, "name")
    match kind:
        case "RoleBinding" | "ClusterRoleBinding":
            yield _text(value, "roleRef", "kind"), _text(value, "roleRef", "name")
            for _, subject in _maps(value, "subjects"):
                if subject.get("kind") == "ServiceAccount":
                    yield "ServiceAccount", _text(subject, "name")
        case "Ingress":
            yield "Service", _text(value, "spec", "defaultBackend", "service", "name")
            for _, rule in _maps(value, "spec", "rules"):
                for _, path in _maps(rule, "http", "paths"):
                    yield "Service", _text(path, "backend", "service", "name")
            for _, tls in _maps(value, "spec", "tls"):
                yield "Secret", _text(tls, "secretName")
        case "ExternalSecret":
            store = _map(value, "spec", "secretStoreRef")
            yield _text(store, "kind") or "SecretStore", _text(store, "name")
        case "SecretStore" | "ClusterSecretStore":
            account = _map(value, "spec", "provider", "vault", "auth", "kubernetes", "serviceAccountRef")
            yield "ServiceAccount", _text(account, "name")
        case "ServiceAccount":
            for _, secret in _maps(value, "imagePullSecrets"):
                yield "Secret", _text(secret, "name")


_SECRET_FIELDS: Final[Mapping[str, str]] = {
    "secretKeyRef": "name",
    "secretRef": "name",
    "secret": "secretName",
    "imagePullSecrets": "name",
    "tls": "secretName",
    "nodePublishSecretRef": "name",
}
"""Fields of any kind that point at a Secret, and the field below that names it."""


def secret_keys(value: Any, secret: str) -> Iterator[str | None]:
    """The keys under which any value, also that of a custom kind, names a Secret; None for all of its keys."""
    if isinstance(value, list):
        for item in value:
            yield from secret_keys(item, secret)
        return
    if not isinstance(value, dict):
        return
    for field, below in value.items():
        naming = _SECRET_FIELDS.get(field)
        for item in (below if isinstance(below, list) else [below]) if naming else ():
            if isinstance(item, dict) and secret in {item.get(naming), item.get("name")}:
                items = item.get("items")
                if field == "secretKeyRef":
                    yield str(item.get("key"))
                elif isinstance(items, list) and items:
                    yield from (str(one.get("key")) for one in items if isinstance(one, dict))
                else:
                    yield None
        yield from secret_keys(below, secret)


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _map(value: Any, *path: str) -> dict[str, Any]:
    found = _at(value, *path)
    return found if isinstance(found, dict) else {}


def _text(value: Any, *path: str) -> str:
    found = _at(value, *path)
    return found if isinstance(found, str) else ""


def _maps(value: Any, *path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The maps of a list, each with its position."""
    found = _at(value, *path)
    for position, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield position, item
