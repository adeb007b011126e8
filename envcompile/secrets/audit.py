"""`envc secrets audit`: what is wrong with sealed stores as a whole, and what to rotate when a sealing key leaked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.errors import EnvcError
from envcompile.git.lines import past_versions
from envcompile.secrets.certificate import same_fingerprint
from envcompile.secrets.store import ValueId, parse_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.secrets.secret_set import SecretSet

Severity = Literal["error", "warning"]


class AuditFinding(NamedTuple):
    """One thing to do something about."""

    environment: str
    id: ValueId | None
    rule: str
    severity: Severity
    note: str


def audit(secret_sets: Sequence[SecretSet], *, compromised: str | None = None) -> list[AuditFinding]:
    """Look through the sealed stores of environments.

    Args:
        secret_sets: the environments.
        compromised: fingerprint of a certificate whose private key leaked; then every value that was ever sealed
            with it is listed, from git's history too, because sealing again does not make a read value secret.
    """
    found: list[AuditFinding] = []
    for secret_set in secret_sets:
        found += _compromised(secret_set, compromised) if compromised else _flaws(secret_set)
    if not compromised:
        found += _twins(secret_sets)
    return sorted(found, key=lambda finding: (finding.environment, finding.id or ValueId("", "", ""), finding.rule))


def _flaws(secret_set: SecretSet) -> Iterator[AuditFinding]:
    store = secret_set.store()
    if store.records and secret_set.sealing.fingerprint is None:
        note = "the certificate is not pinned: whoever can change the file receives the next secrets"
        yield AuditFinding(secret_set.environment, None, "unpinned-certificate", "error", note)
    declared = {entry.id for declaration in secret_set.declarations for entry in declaration.sealable}
    for id_, record in store.records.items():
        if record.scope == "cluster-wide":
            note = "whoever may create a SealedSecret in any namespace can read it"
            yield AuditFinding(secret_set.environment, id_, "cluster-wide", "warning", note)
        if not record.identity:
            note = "changes of its source cannot be seen: it was sealed without an identity key"
            yield AuditFinding(secret_set.environment, id_, "no-identity", "warning", note)
        if id_ not in declared and (id_.namespace, id_.name) not in store.templates:
            yield AuditFinding(secret_set.environment, id_, "undeclared", "warning", "no Secret declares it")


def _twins(secret_sets: Sequence[SecretSet]) -> Iterator[AuditFinding]:
    """Nothing binds a ciphertext to its key: the same text in two places was copied there by hand."""
    seen: dict[str, tuple[str, ValueId]] = {}
    files: set[str] = set()
    for secret_set in secret_sets:
        for store in secret_set.every_store():
            if store.file in files:
                continue  # a layer that several environments are laid over
            files.add(store.file)
            for id_, record in store.records.items():
                if record.sealed in seen:
                    environment, other = seen[record.sealed]
                    note = f"has the same ciphertext as {other} of {environment}: somebody copied it"
                    yield AuditFinding(secret_set.environment, id_, "copied-ciphertext", "error", note)
                seen.setdefault(record.sealed, (secret_set.environment, id_))


def _compromised(secret_set: SecretSet, fingerprint: str) -> Iterator[AuditFinding]:
    sources = {
        entry.id: str(entry.reference) if entry.reference is not None else entry.where.file
        for declaration in secret_set.declarations
        for entry in declaration.sealable
    }
    listed = set()
    # Of every layer, whether the environment builds from it or not: what leaked was readable all the same.
    stores = secret_set.every_store()
    for id_, record in (pair for store in stores for pair in store.records.items()):
        if id_ not in listed and same_fingerprint(record.certificate, fingerprint):
            listed.add(id_)
            where = f" ({sources[id_]})" if id_ in sources else ""
            note = f"sealed with it: change the value at its source{where}, then seal it; sealing again is not enough"
            yield AuditFinding(secret_set.environment, id_, "compromised", "error", note)
    plain = fingerprint.lower().removeprefix("sha256:").replace(":", "")
    for commit, data, file in (
        (commit, data, store.file)
        for store in stores
        for commit, data in past_versions(secret_set.root, store.file, plain)
    ):
        try:
            past = parse_store(data, file)
        except EnvcError:
            continue
        for id_, record in past.records.items():
            if id_ not in listed and same_fingerprint(record.certificate, fingerprint):
                listed.add(id_)
                note = (
                    f"sealed with it in commit {commit[:10]}, which stays readable: change it unless it changed since"
                )
                yield AuditFinding(secret_set.environment, id_, "compromised", "error", note)
