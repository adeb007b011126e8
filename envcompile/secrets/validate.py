"""Compares one sealed record with the source of its value: unchanged, changed, or not to be known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.secrets.backends import OriginError, Resolved, public_version, read_value
from envcompile.secrets.identity import Binding, parts_of, provenance
from envcompile.secrets.scheme import is_typed_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.declared import Declaration, SecretEntry
    from envcompile.secrets.identity import IdentityKey, Verdict
    from envcompile.secrets.references import Reference
    from envcompile.secrets.store import Record


class Judgement(NamedTuple):
    """What is known of a record's value, why not more, and the value when it had to be read for that."""

    verdict: Verdict
    note: str = ""
    value: Resolved | None = None
    is_outdated: bool = False
    """Whether the source has another version than the record, though nobody here can tell if this value is another."""


def binding_of(declaration: Declaration, entry: SecretEntry) -> Binding:
    """Where an entry's value belongs."""
    return Binding(declaration.environment, declaration.scope, *entry.id)


def is_moved(declaration: Declaration, record: Record) -> bool:
    """Whether a record was sealed for another name, namespace or scope than the Secret has now."""
    return (record.scope, record.namespace, record.name) != (declaration.scope, declaration.namespace, declaration.name)


def judge(
    declaration: Declaration,
    entry: SecretEntry,
    record: Record,
    *,
    surroundings: Surroundings,
    identity: IdentityKey | None,
) -> Judgement:
    """Tell whether the source still gives the value that was sealed; asks nobody, never fails for a silent source."""
    reference = entry.reference
    bindings = _bindings(declaration, entry, record)
    recorded = parts_of(record.identity)
    if reference is not None:
        if is_typed_in(reference):
            return Judgement("unverified", "it was typed in and is kept nowhere")
        if recorded.provenance and (version := public_version(reference, surroundings)) is not None:
            return _of_layer(_by_version(recorded.provenance, reference, version, bindings), record)
    try:
        resolved = value_of(entry, surroundings)
    except OriginError as error:
        return Judgement("unverified", str(error))
    if recorded.provenance:
        if reference is None or resolved.version is None:
            return Judgement("changed", "it has another source now", resolved)
        judgement = _by_version(recorded.provenance, reference, resolved.version, bindings)
        if judgement.verdict == "unchanged" or not (resolved.is_shared_version and recorded.keyed):
            return _of_layer(judgement._replace(value=resolved), record)
    if not record.identity:
        return Judgement("unverified", "it was sealed without an identity key", resolved)
    if identity is None:
        return Judgement("unverified", "there is no identity key here", resolved, bool(recorded.provenance))
    verdicts = [identity.compare(binding, resolved.value, recorded.keyed) for binding in bindings]
    if "unchanged" in verdicts:
        return Judgement("unchanged", "", resolved)
    if verdicts[0] == "unverified":
        note = "it was sealed with another identity key"
        return Judgement("unverified", note, resolved, bool(recorded.provenance))
    return _of_layer(Judgement("changed", "", resolved), record)


def _of_layer(judgement: Judgement, record: Record) -> Judgement:
    """The verdict on a record of a layer below: whose environment it was sealed for there is not known here."""
    if judgement.verdict != "changed" or not record.layer:
        return judgement
    note = f"it was sealed in the layer `{record.layer}`, which may not be of this value"
    return judgement._replace(verdict="unverified", note=note, is_outdated=True)


def _bindings(declaration: Declaration, entry: SecretEntry, record: Record) -> list[Binding]:
    """What the record's identity may be bound to: the environment, and the layer whose store has it."""
    binding = binding_of(declaration, entry)
    return [binding, binding._replace(environment=record.layer)] if record.layer else [binding]


def _by_version(recorded: str, reference: Reference, version: str, bindings: Sequence[Binding]) -> Judgement:
    if recorded in {provenance(binding, reference.uri, version) for binding in bindings}:
        return Judgement("unchanged")
    return Judgement("changed")


def value_of(entry: SecretEntry, surroundings: Surroundings) -> Resolved:
    """The value of an entry from its reference or its literal.

    Raises:
        OriginError: when it cannot be had.
    """
    if entry.reference is not None:
        return read_value(entry.reference, surroundings)
    if entry.literal is None:
        raise OriginError("it has no source", "write a reference")
    return Resolved(entry.literal)
