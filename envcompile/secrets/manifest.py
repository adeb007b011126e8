"""From a declared Secret and its sealed values to the SealedSecret object: deterministic, offline, without any key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems
from envcompile.kubernetes.cleaner import LAST_APPLIED
from envcompile.secrets.ciphertext import SCOPE_ANNOTATION, scope_annotations, take_apart
from envcompile.secrets.declaration import LARGEST_SECRET
from envcompile.secrets.plaintext_findings import OWN_ANNOTATIONS
from envcompile.secrets.scheme import is_typed_in
from envcompile.yamlio.templates import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.secrets.declared import Declaration, SecretEntry
    from envcompile.secrets.store import Record, Store

SEALED_API = "bitnami.com/v1alpha1"
LARGEST_ANNOTATION = 262_144
"""Bytes that all annotations of an object may have together; a client-side apply copies the object into one."""

_FOR_THE_SECRET_ONLY = tuple(SCOPE_ANNOTATION + name for name in ("managed", "patch", "skip-set-owner-references"))
"""The controller reads these on the Secret it makes, not on the SealedSecret."""
FOR_THE_OBJECT_ONLY = ("argocd.argoproj.io/",)
"""Argo CD's instructions are about the object in git; a Secret that carries them would be taken for one of git's."""


def sealed_secret(declaration: Declaration, store: Store) -> dict[str, Any]:
    """The SealedSecret of a declared Secret.

    Raises:
        EnvcError: when a value is not sealed yet, or was sealed for another name, namespace or scope; with the
            command that mends it.
    """
    problems = Problems()
    encrypted: dict[str, str] = {}
    size = 0
    for entry in declaration.sealable:
        record = store.records.get(entry.id)
        if record is None:
            _report_missing(declaration, entry, store, problems)
        elif (record.scope, record.namespace, record.name) != (
            declaration.scope,
            declaration.namespace,
            declaration.name,
        ):
            _report_moved(declaration, entry, record, store.file, problems)
        else:
            encrypted[entry.id.key] = record.sealed
            size += take_apart(record.sealed).size
    harmless = {
        entry.id.key: _template_text(declaration, entry, problems) for entry in declaration.entries if entry.harmless
    }
    size += sum(len(text) for text in harmless.values())
    if size > LARGEST_SECRET:
        problems.add(
            f"{declaration.title} has {size} bytes of values; the API server takes {LARGEST_SECRET} at most",
            "split it, or keep large content out of Secrets",
            declaration.where,
        )
    problems.raise_any()
    return sealed_object(declaration, encrypted, harmless)


def sealed_object(
    declaration: Declaration, encrypted: Mapping[str, str], harmless: Mapping[str, str]
) -> dict[str, Any]:
    """Put the object together: allow-listed metadata only, scope annotations outside and in the template."""
    scope = scope_annotations(declaration.scope)

    def metadata(keep: Callable[[str], bool]) -> dict[str, Any]:
        kept = {
            name: text
            for name, text in sorted(declaration.annotations.items())
            if name not in LAST_APPLIED and not name.startswith((OWN_ANNOTATIONS, SCOPE_ANNOTATION)) and keep(name)
        }
        own = {
            name: declaration.annotations[name]
            for name in _FOR_THE_SECRET_ONLY
            if name in declaration.annotations and keep(name)
        }
        annotations = dict(sorted({**kept, **own, **scope}.items()))
        return {
            "name": declaration.name,
            "namespace": declaration.namespace,
            **({"labels": dict(sorted(declaration.labels.items()))} if declaration.labels else {}),
            **({"annotations": annotations} if annotations else {}),
        }

    template: dict[str, Any] = {
        "metadata": metadata(lambda name: not name.startswith(FOR_THE_OBJECT_ONLY)),
        "type": declaration.type,
        **({} if declaration.immutable is None else {"immutable": declaration.immutable}),
        **({"data": dict(sorted(harmless.items()))} if harmless else {}),
    }
    return {
        "apiVersion": SEALED_API,
        "kind": "SealedSecret",
        "metadata": metadata(lambda name: name not in _FOR_THE_SECRET_ONLY),
        "spec": {"encryptedData": dict(sorted(encrypted.items())), "template": template},
    }


def seal_command(environment: str, entry: SecretEntry) -> str:
    """The command that gives this value a sealed record."""
    name, key = entry.id.name, entry.id.key
    if entry.reference is not None and is_typed_in(entry.reference):
        return f"envc secrets set {environment} {name} {key}"
    return f"envc secrets seal {environment} {name}"


def _report_missing(declaration: Declaration, entry: SecretEntry, store: Store, problems: Problems) -> None:
    command = seal_command(declaration.environment, entry)
    elsewhere = store.sealed_elsewhere(entry.id)
    if elsewhere is not None:
        problems.add(
            f"{declaration.title}: `{entry.id.key}` has no sealed value, but {elsewhere.namespace}/{elsewhere.name} "
            f"has one; a sealed value does not follow when name or namespace change",
            f"run `{command}`",
            entry.where,
        )
        return
    problems.add(
        f"{declaration.title}: `{entry.id.key}` has no sealed value in {store.file}", f"run `{command}`", entry.where
    )


def _report_moved(declaration: Declaration, entry: SecretEntry, record: Record, file: str, problems: Problems) -> None:
    sealed_for = f"{record.namespace}/{record.name} ({record.scope})"
    actual = f"{declaration.namespace}/{declaration.name} ({declaration.scope})"
    problems.add(
        f"{declaration.title}: `{entry.id.key}` in {file} was sealed for {sealed_for}, but ends up as {actual}; "
        f"the controller could not open it",
        f"run `{seal_command(declaration.environment, entry)}`",
        entry.where,
    )


def _template_text(declaration: Declaration, entry: SecretEntry, problems: Problems) -> str:
    """A harmless value as Go template text that gives the value itself."""
    if entry.literal is None:
        return ""
    try:
        text = entry.literal.reveal().decode()
    except UnicodeDecodeError:
        problems.add(
            f"{declaration.title}: the harmless value `{entry.id.key}` is binary, which a template cannot hold",
            "seal it: take it off the list of harmless keys and use `ref+file://`",
            entry.where,
        )
        return ""
    return escaped(text)
