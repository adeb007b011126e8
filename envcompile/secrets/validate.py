"""Compares one sealed record with the source of its value: unchanged, changed, or not to be known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.secrets.backends import OriginError, Resolved, public_version, read_value
from envcompile.secrets.identity import Binding, provenance

if TYPE_CHECKING:
    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.declared import Declaration, Entry
    from envcompile.secrets.identity import IdentityKey, Verdict
    from envcompile.secrets.store import Record


class Judgement(NamedTuple):
    """What is known of a record's value, why not more, and the value when it had to be read for that."""

    verdict: Verdict
    note: str = ""
    value: Resolved | None = None


def binding_of(declaration: Declaration, entry: Entry) -> Binding:
    """Where an entry's value belongs."""
    return Binding(declaration.environment, declaration.scope, *entry.id)


def is_moved(declaration: Declaration, record: Record) -> bool:
    """Whether a record was sealed for another name, namespace or scope than the Secret has now."""
    return (record.scope, record.namespace, record.name) != (declaration.scope, declaration.namespace, declaration.name)


def judge(
    declaration: Declaration, entry: Entry, record: Record, *, surroundings: Surroundings, identity: IdentityKey | None
) -> Judgement:
    """Tell whether the source still gives the value that was sealed; asks nobody, never fails for a silent source."""
    binding = binding_of(declaration, entry)
    reference = entry.reference
    by_provenance = record.identity.startswith("provenance:")
    if reference is not None:
        if reference.scheme == "prompt":
            return Judgement("unverified", "it was typed in and is kept nowhere")
        if by_provenance and (version := public_version(reference, surroundings)) is not None:
            return Judgement(_same(record.identity, provenance(binding, reference.uri, version)))
    try:
        resolved = value_of(entry, surroundings)
    except OriginError as error:
        return Judgement("unverified", str(error))
    if by_provenance:
        if reference is None or resolved.version is None:
            return Judgement("changed", "it has another source now", resolved)
        return Judgement(_same(record.identity, provenance(binding, reference.uri, resolved.version)), "", resolved)
    if not record.identity:
        return Judgement("unverified", "it was sealed without an identity key", resolved)
    if identity is None:
        return Judgement("unverified", "there is no identity key here", resolved)
    verdict = identity.compare(binding, resolved.value, record.identity)
    note = "it was sealed with another identity key" if verdict == "unverified" else ""
    return Judgement(verdict, note, resolved)


def value_of(entry: Entry, surroundings: Surroundings) -> Resolved:
    """The value of an entry from its reference or its literal.

    Raises:
        OriginError: when it cannot be had.
    """
    if entry.reference is not None:
        return read_value(entry.reference, surroundings)
    if entry.literal is None:
        raise OriginError("it has no source", "write a reference")
    return Resolved(entry.literal)


def _same(recorded: str, now: str) -> Verdict:
    return "unchanged" if recorded == now else "changed"
