"""The rule `external-secret-store`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _store_path(inputs: CheckInput) -> Iterator[Hit]:
    for external in inputs.of_kind("external-secrets.io", "ExternalSecret"):
        reference = map_at(external.value, "spec", "secretStoreRef")
        kind = text_at(reference, "kind") or "SecretStore"
        namespace = "" if kind == "ClusterSecretStore" else external.id.namespace
        name = text_at(reference, "name")
        store = inputs.named("external-secrets.io", kind, namespace, name)
        if store is None:
            if name and kind == "SecretStore":
                what = f"its namespace has no SecretStore `{name}`: no Secret is made"
                yield Hit(external.id, ("spec", "secretStoreRef", "name"), what, "add the SecretStore", "warning", name)
            continue
        vault = map_at(store.value, "spec", "provider", "vault")
        path = text_at(vault, "path").strip("/")
        prefix = f"{path}/data/" if text_at(vault, "version") != "v1" else f"{path}/"
        for position, item in maps_at(external.value, "spec", "data"):
            key = text_at(item, "remoteRef", "key")
            if path and key.startswith(prefix):
                # The operator cuts the prefix off when it reads values, and fails when it reads metadata.
                is_metadata = text_at(item, "remoteRef", "metadataPolicy") == "Fetch"
                yield Hit(
                    external.id,
                    ("spec", "data", position, "remoteRef", "key"),
                    f"the key repeats `{prefix}`, which {store.id.short} says already",
                    f"write `key: {key.removeprefix(prefix)}`",
                    "error" if is_metadata else None,
                )


RULE: Final = Rule(
    "external-secret-store",
    "info",
    "An ExternalSecret names a store that exists, and keys without the store's own path.",
    "external-secrets.io, HashiCorp Vault provider (buildPath, buildMetadataPath)",
    _store_path,
    why=(
        "External Secrets Operator puts the store's path before a key; a path that is written twice, or a store "
        "that is not there, gives no Secret."
    ),
    fix="Write the name of a store of the environment, and keys without the store's path.",
    links=("https://external-secrets.io/latest/provider/hashicorp-vault/",),
    fires="""\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: vault}
spec:
  provider: {vault: {path: secret}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: worker}
spec:
  secretStoreRef: {name: vault}
  data:
  - {remoteRef: {key: secret/data/worker}}
""",
    silent="""\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: vault}
spec:
  provider: {vault: {path: secret}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: worker}
spec:
  secretStoreRef: {name: vault}
  data:
  - {remoteRef: {key: worker}}
""",
)
