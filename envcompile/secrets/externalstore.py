"""What an environment says of the store that the External Secrets operator reads: its mount, version and address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.secrets.references import BadReferenceError, parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.settings import Environment

STORE_KINDS = frozenset({"Secret", "SecretStore", "ClusterSecretStore"})
"""What `store_facts` wants to see."""
_GROUP = "external-secrets.io/"


class VaultStore(NamedTuple):
    """A store whose provider is Vault, as its resource says."""

    path: str
    """The mount; empty when each key begins with its own."""
    is_versioned: bool
    server: str
    namespace: str


class StoreFacts(NamedTuple):
    """What is known of an environment's store."""

    stores: Mapping[str, VaultStore | None]
    """Per namespace (`""` for a ClusterSecretStore) the store; None for one that is no Vault's. Empty when the
    repository does not have it."""
    mounts: tuple[str, ...]
    """The mounts that the environment's references name, sorted."""

    def has_store(self, namespace: str) -> bool:
        """Whether the repository has the store that a namespace uses."""
        return "" in self.stores or namespace in self.stores

    def vault(self, namespace: str) -> VaultStore | None:
        """The store of a namespace, when it is Vault's and the repository has it."""
        return self.stores.get("", self.stores.get(namespace))


def store_facts(resources: Iterable[Mapping[str, Any]], settings: Environment) -> StoreFacts | None:
    """Look through the resources of an environment; None where no store is named.

    Args:
        resources: those of the kinds in `STORE_KINDS`.
        settings: the environment's settings.
    """
    wanted = settings.external_secrets
    if settings.secret_backend != "external" or wanted is None:
        return None
    stores: dict[str, VaultStore | None] = {}
    mounts: set[str] = set()
    for value in resources:
        metadata = value["metadata"]
        if value.get("kind") == "Secret" and value.get("apiVersion") == "v1":
            mounts |= _mounts(value)
        elif (
            value.get("kind") == wanted.store_kind
            and str(value.get("apiVersion")).startswith(_GROUP)
            and metadata.get("name") == wanted.store
        ):
            namespace = "" if wanted.store_kind == "ClusterSecretStore" else _namespace(metadata, settings)
            stores[namespace] = _vault_of(value)
    return StoreFacts(stores, tuple(sorted(mounts)))


def _namespace(metadata: Mapping[str, Any], settings: Environment) -> str:
    own = metadata.get("namespace")
    return str(settings.namespace or "" if settings.force_namespace or not own else own)


def mount_of(path: str) -> str:
    """The mount that a reference's path names, as far as the path alone can tell: `team/kv` of `team/kv/data/app`."""
    mount, marker, rest = path.partition("/data/")
    return mount if marker and mount and rest else path.partition("/")[0]


def _mounts(secret: Mapping[str, Any]) -> set[str]:
    found = set()
    for part in ("data", "stringData"):
        values = secret.get(part)
        for text in values.values() if isinstance(values, dict) else ():
            try:
                reference = parse_reference(text) if isinstance(text, str) else None
            except BadReferenceError:
                continue  # declared and reported with its place
            if reference is not None and reference.scheme == "vault":
                found.add(mount_of(reference.path))
    return found


def _vault_of(store: Mapping[str, Any]) -> VaultStore | None:
    spec = store.get("spec")
    provider = spec.get("provider") if isinstance(spec, dict) else None
    vault = provider.get("vault") if isinstance(provider, dict) else None
    if not isinstance(vault, dict):
        return None
    return VaultStore(
        str(vault.get("path") or "").strip("/"),
        vault.get("version", "v2") != "v1",
        str(vault.get("server") or ""),
        str(vault.get("namespace") or ""),
    )
