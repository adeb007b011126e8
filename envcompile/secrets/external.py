"""`secretBackend: external`: a declared Secret as an ExternalSecret of `external-secrets.io/v1`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems, fail
from envcompile.kubernetes.cleaner import LAST_APPLIED
from envcompile.secrets.externalstore import mount_of
from envcompile.secrets.manifest import FOR_THE_OBJECT_ONLY
from envcompile.secrets.origin import origin_of
from envcompile.secrets.plaintext_findings import OWN_ANNOTATIONS
from envcompile.secrets.scheme import schemes

if TYPE_CHECKING:
    from envcompile.secrets.declared import Declaration, SecretEntry
    from envcompile.secrets.externalstore import StoreFacts, VaultStore
    from envcompile.secrets.references import Reference
    from envcompile.settings import ExternalSecrets

EXTERNAL_API = "external-secrets.io/v1"

_NULL_BYTES_SINCE = (2, 3)
_NO_DEFAULTS_SINCE = (2, 9)
"""From 2.9 the CRD sets no defaults in remoteRef (external-secrets issue 6798)."""


def external_secret(
    declaration: Declaration, settings: ExternalSecrets | None, facts: StoreFacts | None = None
) -> dict[str, Any]:
    """The ExternalSecret that makes the declared Secret in the cluster.

    Fields that the declared operator version would fill in are written out, so that Argo CD sees no difference.

    Args:
        declaration: the Secret.
        settings: the store and the operator.
        facts: what the environment's resources say of the store; nothing is known of it when left out.

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
        title = f"{declaration.title}: `{entry.id.key}`"
        if entry.reference is None:
            problems.add(
                f"{title} is a literal, but secrets come from {settings.store} here",
                f"write where it is kept, such as `ref+vault://secret/data/app#/{entry.id.key}`",
                entry.where,
            )
        elif _is_local(entry.reference):
            problems.add(
                f"{title} is `{entry.reference}`, which {settings.store} cannot read",
                f"in this environment write where it is kept, such as `ref+vault://secret/data/app#/{entry.id.key}`",
                entry.where,
            )
        else:
            for what, fix in _unreadable(entry.reference, declaration, settings, facts):
                problems.add(f"{title} {what}", fix, entry.where)
            data.append({"secretKey": entry.id.key, "remoteRef": _remote(entry, declaration, settings, facts)})
    problems.raise_any()
    annotations = {
        name: text
        for name, text in sorted(declaration.annotations.items())
        if not name.startswith(OWN_ANNOTATIONS) and name not in LAST_APPLIED
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
            "target": _target(declaration, annotations),
            "data": data,
        },
    }


def _is_local(reference: Reference) -> bool:
    scheme = schemes().get(reference.scheme)
    return scheme is not None and scheme.is_local


def _unreadable(
    reference: Reference, declaration: Declaration, settings: ExternalSecrets, facts: StoreFacts | None
) -> list[tuple[str, str]]:
    """Why the operator would give another value for a reference than sealing it does, and what to do about it."""
    found = []
    if reference.parameter("strip") is not None:
        found.append((
            f"asks for `?strip=newline`; {settings.store} cannot strip",
            "store the value without the newline at its end, and drop the parameter",
        ))
    if reference.scheme != "vault":
        return found
    store = facts.vault(declaration.namespace) if facts is not None else None
    title = f"{settings.store_kind} `{settings.store}`"
    if store is None and facts is not None and facts.has_store(declaration.namespace):
        return [*found, (f"is kept in Vault, and {title} is no Vault's", "name a store of Vault in `externalSecrets`")]
    for name, own in (("address", store.server if store else ""), ("namespace", store.namespace if store else "")):
        given = reference.parameter(name)
        same = given == own or (name == "address" and own and origin_of(str(given)) == origin_of(own))
        if given is not None and not same:
            found.append((
                f"names `?{name}=`, and {title} has its own" + (f" ({own})" if own else ""),
                f"drop the parameter; the store's `spec.provider.vault` says which {name} is read",
            ))
    if store is None:
        others = [mount for mount in _mounts_of(declaration, facts) if mount != mount_of(reference.path)]
        if others:
            found.append((
                f"is in the mount `{mount_of(reference.path)}`, others in `{'`, `'.join(others)}`; a store reads one",
                f"add {title} to base/, or keep all values of the environment below one mount",
            ))
    elif store.path and not reference.path.startswith(_prefix(store)):
        in_mount = reference.path.startswith(f"{store.path}/")
        found.append((
            f"is at `{reference.path}`, and {title} reads below `{_prefix(store)}` only",
            f"write `ref+vault://{_prefix(store)}…`"
            if in_mount
            else f"keep the value in the mount `{store.path}`, or use a store of its own for this mount",
        ))
    return found


def _mounts_of(declaration: Declaration, facts: StoreFacts | None) -> tuple[str, ...]:
    if facts is not None:
        return facts.mounts
    references = (entry.reference for entry in declaration.sealable)
    return tuple(sorted({mount_of(one.path) for one in references if one is not None and one.scheme == "vault"}))


def _target(declaration: Declaration, annotations: dict[str, str]) -> dict[str, Any]:
    harmless = {
        entry.id.key: entry.literal.reveal().decode(errors="replace").replace("{{", '{{ "{{" }}')
        for entry in declaration.entries
        if entry.harmless and entry.literal is not None
    }
    template: dict[str, Any] = {}
    # Without a template the operator copies the ExternalSecret's metadata; with one it takes the template's alone.
    kept = {name: text for name, text in annotations.items() if not name.startswith(FOR_THE_OBJECT_ONLY)}
    if harmless or declaration.labels or declaration.type != "Opaque" or kept != annotations:
        metadata = {
            **({"labels": dict(sorted(declaration.labels.items()))} if declaration.labels else {}),
            **({"annotations": kept} if kept else {}),
        }
        template = {
            "engineVersion": "v2",
            # Merge keeps the fetched keys beside the harmless ones; Replace would drop them.
            "mergePolicy": "Merge" if harmless else "Replace",
            "type": declaration.type,
            **({"metadata": metadata} if metadata else {}),
            **({"data": harmless} if harmless else {}),
        }
    return {
        "name": declaration.name,
        "creationPolicy": "Owner",
        "deletionPolicy": "Retain",
        **({} if declaration.immutable is None else {"immutable": declaration.immutable}),
        **({"template": template} if template else {}),
    }


def _remote(
    entry: SecretEntry, declaration: Declaration, settings: ExternalSecrets, facts: StoreFacts | None
) -> dict[str, Any]:
    reference = entry.reference
    if reference is None:
        raise TypeError("a literal has no remote reference")
    version = operator_version(settings.operator_version)
    decoding = "Base64" if reference.parameter("encoding") == "base64" else "None"
    store = facts.vault(declaration.namespace) if facts is not None else None
    remote: dict[str, Any] = {"key": remote_key(reference, store)}
    if reference.fragment:
        remote["property"] = property_of(reference.fragment)
    if wanted := reference.parameter("version"):
        remote["version"] = wanted
    if version < _NO_DEFAULTS_SINCE:
        remote |= {"conversionStrategy": "Default", "decodingStrategy": decoding, "metadataPolicy": "None"}
        if version >= _NULL_BYTES_SINCE:
            remote["nullBytePolicy"] = "Ignore"
    elif decoding != "None":
        remote["decodingStrategy"] = decoding
    return remote


def property_of(fragment: tuple[str, ...]) -> str:
    """The property for a way into nested fields; a single part is the field's exact name.

    The operator looks for a field of exactly this name first, then takes the property for a gjson path, in which a
    backslash takes the meaning from a sign (`gjson.Escape`).
    """
    if len(fragment) == 1:
        return fragment[0]
    return ".".join(re.sub(r"[^A-Za-z0-9_:\-\x00-\x20\x80-\U0010ffff]", r"\\\g<0>", part) for part in fragment)


def _prefix(store: VaultStore) -> str:
    return f"{store.path}/data/" if store.is_versioned else f"{store.path}/"


def remote_key(reference: Reference, store: VaultStore | None = None) -> str:
    """The key that the operator reads: below the store's mount, or with its mount for a store that has none."""
    if reference.scheme != "vault":
        return reference.path
    if store is not None and store.path:
        return reference.path.removeprefix(_prefix(store))
    mount, marker, rest = reference.path.partition("/data/")
    is_versioned = bool(marker and mount and rest)
    if store is not None:
        return f"{mount}/{rest}" if is_versioned and store.is_versioned else reference.path
    return rest if is_versioned else reference.path.partition("/")[2] or reference.path


def operator_version(text: str) -> tuple[int, int]:
    """Major and minor of an operator version such as `2.9` or `v2.8.1`."""
    found = re.match(r"v?(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
