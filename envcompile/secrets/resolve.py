"""The stage's verb: what stands in the compiled environment in place of a composed Secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems
from envcompile.kubernetes.cleaner import LAST_APPLIED
from envcompile.secrets.declaration import LARGEST_SECRET, declare
from envcompile.secrets.declared import Declaration
from envcompile.secrets.external import external_secret
from envcompile.secrets.manifest import LARGEST_ANNOTATION, sealed_object, sealed_secret
from envcompile.secrets.plaintext_findings import OWN_ANNOTATIONS, find_plaintext, is_secret
from envcompile.settings import Sealing
from envcompile.yamlio.templates import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envcompile.secrets.ciphertext import Scope
    from envcompile.secrets.declared import Ignored, Where
    from envcompile.secrets.externalstore import StoreFacts
    from envcompile.secrets.store import Store
    from envcompile.settings import Environment

__all__ = ["find_plaintext", "is_secret", "resolve_secret", "undeclared_secrets"]


def nothing_ignored(_file: str) -> bool:
    """The answer for sources that git does not know of: no file is ignored."""
    return False


def silent(_warning: str) -> None:
    """Take a warning and say nothing."""


def resolve_secret(
    value: dict[str, Any],
    *,
    environment: str,
    settings: Environment,
    store: Store,
    where: Where,
    ignored: Ignored = nothing_ignored,
    sources: Sequence[str] = (),
    warn: Callable[[str], None] = silent,
    facts: StoreFacts | None = None,
) -> dict[str, Any]:
    """The object for the manifests: SealedSecret, ExternalSecret, or the Secret itself when nothing in it is secret.

    Pure: reads no file, no clock and no network, and needs no key.

    Secrets of an environment with `secretBackend: plaintext` do not come here: they are emitted as they stand.

    Args:
        value: the composed Secret.
        environment: its environment's name, for messages.
        settings: the environment's settings: backend, scope, external store.
        store: the environment's sealed values.
        where: gives the source place of a field.
        ignored: tells whether git ignores a file, in which literals are allowed.
        sources: the files that have a say in the Secret.
        warn: takes what is allowed but unwise.
        facts: for `secretBackend: external`, what the environment's resources say of the store (`store_facts`).

    Raises:
        EnvcError: with every problem of this Secret, and the command or edit that mends it.
    """
    declaration = declare(
        value, environment=environment, settings=settings, where=where, ignored=ignored, sources=sources
    )
    if not declaration.sealable:
        return value
    if settings.secret_backend == "external":
        return external_secret(declaration, settings.external_secrets, facts)
    if declaration.has_private_values and declaration.private:
        _check_private(declaration, store)
    result = sealed_secret(declaration, store)
    _warn(declaration, result, warn)
    return result


def undeclared_secrets(
    store: Store, declared: Iterable[tuple[str, str]], *, environment: str, settings: Environment
) -> list[dict[str, Any]]:
    """The SealedSecrets of Secrets whose literal file is on somebody else's machine, known here from the store.

    Args:
        store: the environment's sealed values.
        declared: namespace and name of every Secret among the composed resources.
        environment: the environment's name.
        settings: the environment's settings.

    Raises:
        EnvcError: for one that another cluster's environment has sealed and this one has not.
    """
    known = set(declared)
    scope: Scope = (settings.sealing or Sealing()).scope
    found = []
    problems = Problems()
    for (namespace, name), template in sorted(store.templates.items()):
        if (namespace, name) in known or (settings.secret_backend or "sealed") != "sealed":
            continue
        declaration = Declaration(
            environment=environment,
            name=name,
            namespace=namespace,
            scope=scope,
            type=str(template["type"]),
            place=None,  # type: ignore[arg-type]  # never shown: nothing below can fail
            entries=(),
            labels=dict(template.get("labels") or {}),
            annotations=dict(template.get("annotations") or {}),
            immutable=template.get("immutable"),
        )
        encrypted = {key: record.sealed for key, record in store.of_secret(namespace, name).items()}
        if not encrypted:
            problems.add(
                f"environment {environment}: Secret/{name} has no sealed values for this environment's certificate",
                f"run `envc secrets seal {environment} {name}` on the machine that has its file",
            )
            continue
        harmless = {key: escaped(str(text)) for key, text in (template.get("harmless") or {}).items()}
        found.append(sealed_object(declaration, encrypted, harmless))
    problems.raise_any()
    return found


def public_template(declaration: Declaration) -> dict[str, Any]:
    """The shape of a Secret that only an ignored file declares, as the store keeps it for everybody else."""
    harmless = {
        entry.id.key: entry.literal.reveal().decode(errors="replace")
        for entry in declaration.entries
        if entry.harmless and entry.literal is not None
    }
    annotations = {
        name: text
        for name, text in sorted(declaration.annotations.items())
        if name not in LAST_APPLIED and not name.startswith(OWN_ANNOTATIONS)
    }
    return {
        "type": declaration.type,
        **({} if declaration.immutable is None else {"immutable": declaration.immutable}),
        **({"labels": dict(sorted(declaration.labels.items()))} if declaration.labels else {}),
        **({"annotations": annotations} if annotations else {}),
        **({"harmless": harmless} if harmless else {}),
    }


def _check_private(declaration: Declaration, store: Store) -> None:
    """Refuse a Secret from an ignored file whose public shape differs from what everybody else builds."""
    problems = Problems()
    stored = store.templates.get((declaration.namespace, declaration.name))
    keys = {entry.id.key for entry in declaration.sealable}
    sealed = set(store.of_secret(declaration.namespace, declaration.name))
    if sealed and (sealed != keys or stored != public_template(declaration)):
        problems.add(
            f"{declaration.title} comes from a file that git ignores and is not as {store.file} has it",
            f"run `envc secrets seal {declaration.environment} {declaration.name}`, so that others build the same",
            declaration.where,
        )
    problems.raise_any()


def refused_changes(before: Any, after: Any) -> list[tuple[str, str]]:
    """What the API server would refuse at the next sync: another type, other keys of an immutable Secret.

    Args:
        before: the SealedSecret that was emitted last; anything else was no SealedSecret.
        after: the one that is emitted now.

    Returns:
        What is refused, and how to mend it.
    """
    spec, now = ((side if isinstance(side, dict) else {}).get("spec") or {} for side in (before, after))
    template, template_now = spec.get("template") or {}, now.get("template") or {}
    if not template or not template_now:
        return []
    refused = []
    old, new = template.get("type", "Opaque"), template_now.get("type", "Opaque")
    if old != new:
        refused.append((
            f"changes its type from {old} to {new}, which the API server refuses",
            "give the Secret a new name, or delete it in the cluster first",
        ))
    if template.get("immutable") is True:
        changed = set(spec.get("encryptedData") or {}) ^ set(now.get("encryptedData") or {})
        clear, clear_before = template_now.get("data") or {}, template.get("data") or {}
        changed |= {key for key in {*clear, *clear_before} if clear.get(key) != clear_before.get(key)}
        if changed or template_now.get("immutable") is not True:
            what = f"`{'`, `'.join(sorted(changed))}` changed" if changed else "`immutable` is taken off"
            refused.append((
                f"is immutable, but {what}",
                "give the Secret a new name and point the workloads at it, or delete it in the cluster first",
            ))
    return refused


def _warn(declaration: Declaration, result: dict[str, Any], warn: Callable[[str], None]) -> None:
    if declaration.scope == "cluster-wide":
        warn(f"{declaration.title} is sealed cluster-wide: whoever may create a SealedSecret anywhere can read it")
    size = sum(len(text) for text in result["spec"]["encryptedData"].values())
    if size > LARGEST_ANNOTATION:
        warn(
            f"{declaration.title} has {size} bytes when sealed: `kubectl apply` without --server-side cannot store it "
            f"in its annotation of {LARGEST_ANNOTATION} bytes (Secrets themselves end at {LARGEST_SECRET})"
        )
