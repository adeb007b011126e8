"""Secrets: none in plain text, every sealed value a ciphertext, one maker for each."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, strings_at, text_at, texts_at
from envcompile.check.rule import Rule
from envcompile.kubernetes.credentials import is_named_secret, named_values, shape_of
from envcompile.model import is_harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.finding import Severity
    from envcompile.model import Pointer, Resource

_SECRET_WORD: Final = re.compile(r"passw|passphrase|secret|token|key|credential", re.IGNORECASE)

_FIX: Final = "rotate it, seal it (`envc secrets set`) and read it from the Secret"


def _plaintext(scene: Scene) -> Iterator[Hit]:
    for secret in scene.of_kind("", "Secret"):
        if not is_harmless(secret.value):
            field = "stringData" if map_at(secret.value, "stringData") else "data"
            what = "the Secret's values stand in the repository for everybody to read"
            # Only `secretBackend: plaintext` lets one through, which is meant for throw-away clusters.
            severity: Severity | None = None if scene.is_production else "warning"
            fix = "seal it (`envc secrets set`) and write `secretBackend: sealed` or `external`"
            yield Hit(secret.id, (field,), what, fix, severity)
    for config in scene.of_kind("", "ConfigMap"):
        for key, text in strings_at(config.value, "data").items():
            yield from _in_text(config, ("data", key), key, text)
    for pods in scene.pods:
        for container in pods.containers:
            for position, variable in maps_at(container.value, "env"):
                name, value = text_at(variable, "name"), text_at(variable, "value")
                if value:
                    where = f"the env var {name} of container `{container.name}`"
                    pointer: Pointer = (*container.pointer, "env", position, "value")
                    yield from _in_value(pods.resource, pointer, where, name, value)
            for field in ("command", "args"):
                for position, text in enumerate(texts_at(container.value, field)):
                    kind = shape_of(text)
                    if kind:
                        what = f"`{field}` of container `{container.name}` holds {kind} in plain text"
                        yield Hit(pods.resource.id, (*container.pointer, field, position), what, _FIX)


def _in_value(resource: Resource, pointer: Pointer, where: str, name: str, value: str) -> Iterator[Hit]:
    kind = shape_of(value)
    if kind:
        yield Hit(resource.id, pointer, f"{where} holds {kind} in plain text", _FIX)
    elif is_named_secret(name, value):
        what = f"{where} looks like a secret in plain text"
        fix = f"{_FIX}; or say in `envcompile.dev/ignore` why it is none"
        yield Hit(resource.id, pointer, what, fix, "warning", value=name)


def _in_text(config: Resource, pointer: Pointer, key: str, text: str) -> Iterator[Hit]:
    """Secrets in an entry of a ConfigMap: the entry itself, or a line of the file that it is."""
    if "\n" not in text.strip():
        yield from _in_value(config, pointer, f"the entry `{key}`", key, text.strip())
        return
    kind = shape_of(text)
    if kind:
        yield Hit(config.id, pointer, f"the entry `{key}` holds {kind} in plain text", _FIX)
    if _SECRET_WORD.search(text) is None:
        return
    for name, value in named_values(text).items():
        if is_named_secret(name, value):
            what = f"`{name}` in the entry `{key}` looks like a secret in plain text"
            fix = f"{_FIX}; or say in `envcompile.dev/ignore` why it is none"
            yield Hit(config.id, pointer, what, fix, "warning", value=name)


def _sealed(scene: Scene) -> Iterator[Hit]:
    for sealed in scene.of_kind("bitnami.com", "SealedSecret"):
        for key, value in map_at(sealed.value, "spec", "encryptedData").items():
            if not _is_ciphertext(value):
                yield Hit(
                    sealed.id,
                    ("spec", "encryptedData", key),
                    f"the value of `{key}` is no ciphertext: the controller opens none of the Secret's values",
                    f"seal it again: `envc secrets set {scene.environment} {sealed.id.name} {key}`",
                )


def _is_ciphertext(value: Any) -> bool:
    """Tell whether a value has the form of a sealed one.

    Two bytes of length, an RSA block of that length (1024 bits or more), and a tag of 16 bytes at least.
    Source: sealed-secrets, pkg/crypto/crypto.go, HybridEncrypt.
    """
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return False
    length = int.from_bytes(raw[:2], "big")
    return length >= 128 and len(raw) >= 2 + length + 16


def _makers(scene: Scene) -> Iterator[Hit]:
    first: dict[tuple[str, str], Resource] = {}
    kinds = [("", "Secret"), ("bitnami.com", "SealedSecret"), ("external-secrets.io", "ExternalSecret")]
    for group, kind in [*kinds, ("cert-manager.io", "Certificate")]:
        for resource in scene.of_kind(group, kind):
            name = resource.id.name
            if kind == "ExternalSecret":
                target = map_at(resource.value, "spec", "target")
                if text_at(target, "creationPolicy") in {"Merge", "None", "Orphan"}:
                    continue
                name = text_at(target, "name") or name
            elif kind == "Certificate":
                name = text_at(resource.value, "spec", "secretName")
            other = first.setdefault((resource.id.namespace, name), resource)
            if other is not resource:
                yield Hit(
                    resource.id,
                    ("metadata", "name"),
                    f"{other.id.short} makes the Secret `{name}`, too: one of the two never gets its values through",
                    "leave one of them, or give one another name",
                    value=other.id.short,
                )


def _store_path(scene: Scene) -> Iterator[Hit]:
    for external in scene.of_kind("external-secrets.io", "ExternalSecret"):
        reference = map_at(external.value, "spec", "secretStoreRef")
        kind = text_at(reference, "kind") or "SecretStore"
        namespace = "" if kind == "ClusterSecretStore" else external.id.namespace
        name = text_at(reference, "name")
        store = scene.named("external-secrets.io", kind, namespace, name)
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


RULES: Final = (
    Rule(
        "secret-plaintext",
        "error",
        "No password, key or token stands in plain text in a Secret, a ConfigMap or an env var.",
        "kubernetes.io, Good practices for Secrets; kube-linter env-var-secret, Polaris sensitiveConfigmapContent",
        _plaintext,
        alone=True,
    ),
    Rule(
        "sealed-value",
        "error",
        "Every value of a SealedSecret is a ciphertext; one that is not keeps the whole Secret from being made.",
        "sealed-secrets, pkg/crypto/crypto.go",
        _sealed,
        alone=True,
    ),
    Rule(
        "secret-makers",
        "error",
        "A Secret is made by one resource.",
        "sealed-secrets README, Managing existing secrets; external-secrets.io, Ownership",
        _makers,
    ),
    Rule(
        "external-secret-store",
        "info",
        "An ExternalSecret names a store that exists, and keys without the store's own path.",
        "external-secrets.io, HashiCorp Vault provider (buildPath, buildMetadataPath)",
        _store_path,
    ),
)
