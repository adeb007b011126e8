"""`envc secrets reseal`: the same values under the present certificate; ciphertext, certificate and salt change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.secrets.backends import OriginError, Resolved
from envcompile.secrets.ciphertext import BrokenCiphertextError, label
from envcompile.secrets.seal import Result, Row, Sealer
from envcompile.secrets.sealing import NoKeyOpensError, open_sealed
from envcompile.secrets.status import ages_of
from envcompile.secrets.store import Update, update_store
from envcompile.secrets.validate import is_moved, judge, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.declared import Declaration, SecretEntry
    from envcompile.secrets.identity import IdentityKey
    from envcompile.secrets.secret_set import SecretSet
    from envcompile.secrets.store import Record


def reseal(
    secret_set: SecretSet,
    names: Sequence[str] = (),
    *,
    keys: Sequence[RSAPrivateKey] = (),
    older_than_days: int | None = None,
    everything: bool = False,
    surroundings: Surroundings,
    identity: IdentityKey | None,
    now: datetime,
) -> Result:
    """Encrypt sealed values again.

    Takes each value from a private key that opens it, else from its source if that is known to be unchanged.

    Args:
        secret_set: the environment.
        names: Secrets to look at; all of them for none.
        keys: private keys of the cluster, from a backup.
        older_than_days: values committed longer ago than this.
        everything: every value. With neither, the values under another certificate than the pinned one.
        surroundings: what sources may look at.
        identity: the identity key.
        now: the moment to judge ages and the certificate at.

    Raises:
        EnvcError: when the certificate may not be used.
    """
    store = secret_set.store()
    ages = ages_of(secret_set, store, now)
    certificate, warnings = secret_set.certificate(now)
    sealer = Sealer(secret_set, identity, now)
    rows: list[Row] = []
    put: list[Record] = []
    for declaration in secret_set.chosen(names):
        for entry in declaration.sealable:
            record = store.records.get(entry.id)
            if record is None:
                continue
            if everything:
                wanted = True
            elif older_than_days is not None:
                wanted = ages.get(entry.id, older_than_days + 1) > older_than_days
            else:
                wanted = record.certificate != certificate.fingerprint
            if not wanted:
                rows.append(Row(secret_set.environment, entry.id, "kept"))
                continue
            resolved, note = _same_value(declaration, entry, record, keys, surroundings, identity)
            if resolved is None:
                rows.append(Row(secret_set.environment, entry.id, "unverified", note))
                continue
            # What another layer's environment sealed is bound to that one.
            kept = None if record.layer else _identity_to_keep(record, identity)
            put.append(sealer.record(declaration, entry, resolved, identity=kept))
            rows.append(Row(secret_set.environment, entry.id, "sealed"))
    changed = bool(put) and update_store(secret_set.root, secret_set.store_file, Update(tuple(put)))
    return Result(tuple(rows), warnings, (secret_set.store_file,) if changed else ())


def _identity_to_keep(record: Record, identity: IdentityKey | None) -> str | None:
    """Provenance stays true; a keyed identity is made anew, unless its key is not here."""
    if not record.identity:
        return None
    if record.identity.startswith("provenance:") or identity is None or f":{identity.name}:" not in record.identity:
        return record.identity
    return None


def _same_value(
    declaration: Declaration,
    entry: SecretEntry,
    record: Record,
    keys: Sequence[RSAPrivateKey],
    surroundings: Surroundings,
    identity: IdentityKey | None,
) -> tuple[Resolved | None, str]:
    """The value that is sealed now, or why it cannot be had."""
    if keys:
        try:
            return Resolved(open_sealed(keys, record.sealed, label(record.scope, record.namespace, record.name))), ""
        except (NoKeyOpensError, BrokenCiphertextError):
            return None, "none of the private keys opens it"
    if is_moved(declaration, record):
        return None, f"was sealed for {record.namespace}/{record.name}: run `envc secrets seal`"
    judgement = judge(declaration, entry, record, surroundings=surroundings, identity=identity)
    if judgement.verdict == "changed":
        return None, "changed at its source: run `envc secrets seal`"
    if judgement.verdict == "unverified":
        return None, f"{judgement.note}; give --private-key, or seal it with `envc secrets set`"
    try:
        return judgement.value or value_of(entry, surroundings), ""
    except OriginError as error:
        return None, str(error)
