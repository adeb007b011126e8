"""What resources name of each other, and which ConfigMaps and Secrets there will be to be named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.pods import pods_of
from envcompile.check.reading import list_at, map_at, maps_at, strings_at, text_at
from envcompile.kubernetes.operatormade import EVERYWHERE, PUBLISHED, Made, is_filled, made_by_command, made_of
from envcompile.kubernetes.references import pod_references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.check.pods import Pods
    from envcompile.model import Pointer, Resource


MANY: Final = 3
"""So many workloads that name one object that is not there are said in one finding."""


class Reference(NamedTuple):
    """A pod's use of a ConfigMap, Secret, ServiceAccount or claim."""

    pods: Pods
    pointer: Pointer
    """The field that holds the name; for a key, the field that holds the key."""
    kind: str
    name: str
    key: str = ""
    """The key that must be there; empty when the whole object is taken."""
    optional: bool = False
    is_whole: bool = False
    """True when the object is read by `env` or mounted by `subPath`: a change of it reaches only new pods."""


class Provided(NamedTuple):
    """A ConfigMap or Secret that the environment will hold."""

    resource: Resource | None
    keys: frozenset[str] | None
    """Its keys; None when an operator decides about them."""


Store = dict[tuple[str, str], Provided]


def references_of(pods: Pods) -> Iterator[Reference]:
    """Every ConfigMap, Secret, ServiceAccount and claim that the pods of a workload name."""
    for one in pod_references(pods.template, pods.pointer):
        yield Reference(pods, one.pointer, one.kind, one.name, one.key, one.optional, one.is_frozen)


class Provisions:
    """The ConfigMaps, Secrets and claims that an environment will hold, also those that operators make."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        known = tuple(resources)
        self._stores = {"ConfigMap": _provided_configs(known), "Secret": _provided_secrets(known)}
        self._names: dict[tuple[str, str], tuple[str, ...]] = {}
        claims = (resource.id for resource in known if resource.id.kind == "PersistentVolumeClaim")
        self._claims = {(identity.namespace, identity.name) for identity in claims}
        accounts = (resource.id for resource in known if resource.id[:2] == ("", "ServiceAccount"))
        self._accounts = {(identity.namespace, identity.name) for identity in accounts}
        self._claim_starts = tuple(_claims_of_templates(known))
        self._made: dict[str, list[Made]] = {}
        for made in _made(known):
            self._made.setdefault(made.kind, []).append(made)

    def find(self, kind: str, namespace: str, name: str) -> Provided | None:
        """The ConfigMap or Secret of a name."""
        store = self._stores[kind]
        found = store.get((namespace, name)) or store.get((EVERYWHERE, name))
        return Provided(None, None) if found is None and self.is_made(kind, namespace, name) else found

    def is_made(self, kind: str, namespace: str, name: str) -> bool:
        """Tell whether an operator makes an object out of one that the environment holds."""
        return any(made.matches(namespace, name) for made in self._made.get(kind, ()))

    def names(self, kind: str, namespace: str) -> tuple[str, ...]:
        """The names of the ConfigMaps or Secrets of a namespace."""
        if (kind, namespace) not in self._names:
            names = tuple(name for where, name in self._stores[kind] if where == namespace)
            self._names[kind, namespace] = names
        return self._names[kind, namespace]

    def has_account(self, namespace: str, name: str) -> bool:
        """Tell whether a ServiceAccount is there, or an operator makes it."""
        return (namespace, name) in self._accounts or self.is_made("ServiceAccount", namespace, name)

    def has_claim(self, namespace: str, name: str) -> bool:
        """Tell whether a PersistentVolumeClaim is there, or a StatefulSet makes it."""
        if (namespace, name) in self._claims:
            return True
        return any(where == namespace and name.startswith(start) for where, start in self._claim_starts)


def _provided_configs(resources: Iterable[Resource]) -> Store:
    """The ConfigMaps that the environment will hold, by namespace and name."""
    found: Store = {(EVERYWHERE, name): Provided(None, None) for name in PUBLISHED}
    for resource in resources:
        identity, value = resource.id, resource.value
        if (identity.group, identity.kind) == ("", "ConfigMap"):
            keys = frozenset({*map_at(value, "data"), *map_at(value, "binaryData")})
            found[identity.namespace, identity.name] = Provided(resource, None if is_filled(value) else keys)
    return found


def _provided_secrets(resources: Iterable[Resource]) -> Store:
    """The Secrets that the environment will hold, by namespace and name; most are made from something else."""
    found: Store = {}
    for resource in resources:
        identity, value = resource.id, resource.value
        name = identity.name
        keys: frozenset[str] | None = None
        match identity.group, identity.kind:
            case "", "Secret":
                # The token controller fills Secrets of this type, see kubernetes.io/docs/concepts/configuration/secret
                if text_at(value, "type") != "kubernetes.io/service-account-token" and not is_filled(value):
                    keys = frozenset({*map_at(value, "data"), *map_at(value, "stringData")})
            case "bitnami.com", "SealedSecret":
                if "data" not in map_at(value, "spec"):  # the old format seals all keys as one value
                    spec = map_at(value, "spec")
                    keys = frozenset({*map_at(spec, "encryptedData"), *map_at(spec, "template", "data")})
            case "external-secrets.io", "ExternalSecret":
                name = text_at(value, "spec", "target", "name") or identity.name
                keys = _external_keys(resource)
            case "external-secrets.io", "ClusterExternalSecret":
                spec = map_at(value, "spec")
                name = text_at(spec, "externalSecretSpec", "target", "name") or text_at(spec, "externalSecretName")
                found[EVERYWHERE, name or identity.name] = Provided(resource, None)
                continue
            case "networking.k8s.io", "Ingress" if _asks_cert_manager(resource):
                for _, tls in maps_at(value, "spec", "tls"):
                    found.setdefault((identity.namespace, text_at(tls, "secretName")), Provided(resource, None))
                continue
            case _:
                continue
        found[identity.namespace, name] = Provided(resource, keys)
    return found


def _made(resources: Iterable[Resource]) -> Iterator[Made]:
    """What operators make of the environment's objects, and the Secrets that containers make."""
    for resource in resources:
        identity = resource.id
        yield from made_of(identity.group, identity.kind, identity.namespace, resource.value)
        pods = pods_of(resource)
        for container in pods.containers if pods is not None else ():
            words = [
                word
                for field in ("command", "args")
                for word in list_at(container.value, field)
                if isinstance(word, str)
            ]
            for name in made_by_command(words):
                yield Made("Secret", identity.namespace, name)


def _external_keys(resource: Resource) -> frozenset[str] | None:
    """The keys of an ExternalSecret's Secret; None when they depend on what the store holds.

    Source: external-secrets.io, API of ExternalSecret: `target.template` replaces the keys unless its mergePolicy is
    Merge, and `creationPolicy: Merge` adds to a Secret that somebody else makes.
    """
    spec = map_at(resource.value, "spec")
    template = map_at(spec, "target", "template")
    if spec.get("dataFrom") or template.get("templateFrom") or text_at(spec, "target", "creationPolicy") == "Merge":
        return None
    keys = frozenset(text_at(item, "secretKey") for _, item in maps_at(spec, "data"))
    made = frozenset(map_at(template, "data"))
    if not made:
        return keys
    return keys | made if text_at(template, "mergePolicy") == "Merge" else made


def _asks_cert_manager(resource: Resource) -> bool:
    """Tell whether cert-manager makes the certificates of an Ingress (its ingress-shim)."""
    annotations = strings_at(resource.value, "metadata", "annotations")
    return any(key.startswith("cert-manager.io/") and key.endswith("issuer") for key in annotations) or (
        annotations.get("kubernetes.io/tls-acme") == "true"
    )


def _claims_of_templates(resources: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    """Namespace and the beginning of the names of the claims that StatefulSets make: `TEMPLATE-SET-`."""
    for resource in resources:
        if resource.id.kind == "StatefulSet":
            for _, claim in maps_at(resource.value, "spec", "volumeClaimTemplates"):
                yield resource.id.namespace, f"{text_at(claim, 'metadata', 'name')}-{resource.id.name}-"
