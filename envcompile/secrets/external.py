"""`secretBackend: external`: a declared Secret as an ExternalSecret of `external-secrets.io/v1`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems, fail
from envcompile.secrets.plaintext_findings import LAST_APPLIED, OWN_ANNOTATIONS

if TYPE_CHECKING:
    from envcompile.secrets.declared import Declaration
    from envcompile.secrets.references import Reference
    from envcompile.settings import ExternalSecrets

EXTERNAL_API = "external-secrets.io/v1"
LOCAL_SCHEMES = ("env", "file", "sops", "prompt")
"""Sources that exist only where values are sealed: no operator in a cluster can read them."""

_NULL_BYTES_SINCE = (2, 3)
_NO_DEFAULTS_SINCE = (2, 9)
"""From 2.9 the CRD sets no defaults in remoteRef (external-secrets issue 6798)."""


def external_secret(declaration: Declaration, settings: ExternalSecrets | None) -> dict[str, Any]:
    """The ExternalSecret that makes the declared Secret in the cluster.

    Fields that the declared operator version would fill in are written out, so that Argo CD sees no difference.

    Raises:
        EnvcError: for a reference the operator cannot follow, or without `externalSecrets.store`.
    """
    if settings is None:
        raise fail(
            f"environment {declaration.environment} has `secretBackend: external` but no store",
            f"name it in overlays/{declaration.environment}/environment.yaml: `externalSecrets: {{store: NAME}}`",
            declaration.where,
        )
    problems = Problems()
    data = []
    for entry in declaration.sealable:
        if entry.reference is None:
            problems.add(
                f"{declaration.title}: `{entry.id.key}` is a literal, but secrets come from {settings.store} here",
                f"write where it is kept, such as `ref+vault://secret/data/app#/{entry.id.key}`",
                entry.where,
            )
        elif entry.reference.scheme in LOCAL_SCHEMES:
            problems.add(
                f"{declaration.title}: `{entry.id.key}` is `{entry.reference}`, which {settings.store} cannot read",
                f"in this environment write where it is kept, such as `ref+vault://secret/data/app#/{entry.id.key}`",
                entry.where,
            )
        else:
            data.append({"secretKey": entry.id.key, "remoteRef": _remote(entry.reference, settings)})
    problems.raise_any()
    annotations = {
        name: text
        for name, text in sorted(declaration.annotations.items())
        if not name.startswith(OWN_ANNOTATIONS) and name != LAST_APPLIED
    }
    return {
        "apiVersion": EXTERNAL_API,
        "kind": "ExternalSecret",
        "metadata": {
            "name": declaration.name,
            "namespace": declaration.namespace,
            **({"labels": dict(sorted(declaration.labels.items()))} if declaration.labels else {}),
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {
            "refreshInterval": settings.refresh_interval,
            "secretStoreRef": {"name": settings.store, "kind": settings.store_kind},
            "target": _target(declaration),
            "data": data,
        },
    }


def _target(declaration: Declaration) -> dict[str, Any]:
    harmless = {
        entry.id.key: entry.literal.reveal().decode(errors="replace").replace("{{", '{{ "{{" }}')
        for entry in declaration.entries
        if entry.harmless and entry.literal is not None
    }
    template: dict[str, Any] = {}
    if harmless or declaration.labels or declaration.type != "Opaque":
        template = {
            "engineVersion": "v2",
            # Merge keeps the fetched keys beside the harmless ones; Replace would drop them.
            "mergePolicy": "Merge" if harmless else "Replace",
            "type": declaration.type,
            **({"metadata": {"labels": dict(sorted(declaration.labels.items()))}} if declaration.labels else {}),
            **({"data": harmless} if harmless else {}),
        }
    return {
        "name": declaration.name,
        "creationPolicy": "Owner",
        "deletionPolicy": "Retain",
        **({} if declaration.immutable is None else {"immutable": declaration.immutable}),
        **({"template": template} if template else {}),
    }


def _remote(reference: Reference, settings: ExternalSecrets) -> dict[str, Any]:
    version = operator_version(settings.operator_version)
    decoding = "Base64" if reference.parameter("encoding") == "base64" else "None"
    remote: dict[str, Any] = {"key": remote_key(reference)}
    if reference.fragment:
        remote["property"] = ".".join(reference.fragment)
    if wanted := reference.parameter("version"):
        remote["version"] = wanted
    if version < _NO_DEFAULTS_SINCE:
        remote |= {"conversionStrategy": "Default", "decodingStrategy": decoding, "metadataPolicy": "None"}
        if version >= _NULL_BYTES_SINCE:
            remote["nullBytePolicy"] = "Ignore"
    elif decoding != "None":
        remote["decodingStrategy"] = decoding
    return remote


def remote_key(reference: Reference) -> str:
    """The key below the store's mount: Vault's mount and `data/` belong to the SecretStore, not to the key."""
    if reference.scheme != "vault":
        return reference.path
    mount, marker, rest = reference.path.partition("/data/")
    if marker and mount and rest:
        return rest
    return reference.path.partition("/")[2] or reference.path


def operator_version(text: str) -> tuple[int, int]:
    """Major and minor of an operator version such as `2.9` or `v2.8.1`."""
    found = re.match(r"v?(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
