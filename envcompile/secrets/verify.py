"""`envc secrets verify` and `unseal`: what can be known offline, and with private keys everything."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import EnvcError, Problems
from envcompile.model import Location
from envcompile.secrets.ciphertext import BrokenCiphertextError, foreign, label, take_apart
from envcompile.secrets.identity import Binding
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.sealing import NoKeyOpensError, open_sealed
from envcompile.secrets.validate import is_moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from envcompile.secrets.certificate import Certificate
    from envcompile.secrets.identity import IdentityKey
    from envcompile.secrets.secret_set import SecretSet
    from envcompile.secrets.store import Record, Store, ValueId


class Check(NamedTuple):
    """The verdict on one sealed value."""

    environment: str
    id: ValueId
    is_good: bool
    note: str = ""


def verify(
    secret_set: SecretSet, *, keys: Sequence[RSAPrivateKey] = (), identity: IdentityKey | None = None
) -> list[Check]:
    """Check every sealed value of an environment.

    Without private keys: declared and sealed for the same name, namespace and scope; well formed; not certainly of
    another certificate than the recorded one. With them: each value opens, and is the one its identity was made of.
    """
    store = secret_set.store()
    try:
        certificates = {one.fingerprint: one for one in secret_set.certificates()}
    except EnvcError:
        certificates = {}
    return sorted(_checks(secret_set, store, certificates, keys, identity), key=lambda check: check.id)


def _checks(
    secret_set: SecretSet,
    store: Store,
    certificates: Mapping[str, Certificate],
    keys: Sequence[RSAPrivateKey],
    identity: IdentityKey | None,
) -> Iterator[Check]:
    declared = set()
    for declaration in secret_set.declarations:
        for entry in declaration.sealable:
            declared.add(entry.id)
            record = store.records.get(entry.id)
            if record is None:
                yield Check(secret_set.environment, entry.id, is_good=False, note="is declared but not sealed")
            elif is_moved(declaration, record):
                note = f"was sealed for {record.namespace}/{record.name} ({record.scope})"
                yield Check(secret_set.environment, entry.id, is_good=False, note=note)
            else:
                yield check_record(secret_set.environment, record, certificates, keys, identity)
    for id_, record in store.records.items():
        if id_ not in declared:
            yield check_record(secret_set.environment, record, certificates, keys, identity)


def check_record(
    environment: str,
    record: Record,
    certificates: Mapping[str, Certificate],
    keys: Sequence[RSAPrivateKey],
    identity: IdentityKey | None,
) -> Check:
    """Check one record by itself."""
    parts = take_apart(record.sealed)
    note = ""
    if (certificate := certificates.get(record.certificate)) is not None:
        if (reason := foreign(parts, certificate.modulus)) is not None:
            return Check(environment, record.id, is_good=False, note=f"cannot be opened by its cluster: {reason}")
    elif certificates:
        note = f"sealed with an older certificate, {record.certificate[:23]}…"
    if keys:
        try:
            value = open_sealed(keys, record.sealed, label(record.scope, record.namespace, record.name))
        except (NoKeyOpensError, BrokenCiphertextError):
            return Check(
                environment,
                record.id,
                is_good=False,
                note="none of the private keys opens it: another cluster's, or it was sealed for another name",
            )
        if identity is not None and record.identity and not record.layer:
            binding = Binding(environment, record.scope, *record.id)
            if identity.compare(binding, value, record.identity) == "changed":
                return Check(
                    environment, record.id, is_good=False, note="opens, but is not the value its identity was made of"
                )
        note = "opens" + (f"; {note}" if note else "")
    return Check(environment, record.id, is_good=True, note=note)


class Unsealed(NamedTuple):
    """A Secret with its values in clear: the only thing of this package that leaves with plaintext in it."""

    namespace: str
    name: str
    values: dict[str, Plaintext]


def unseal(store: Store, *, keys: Sequence[RSAPrivateKey], names: Sequence[str] = ()) -> list[Unsealed]:
    """Open the values of a sealed store with private keys; for recovery. Needs nothing but the store.

    Raises:
        EnvcError: naming every value that no key opens.
    """
    problems = Problems()
    found: dict[tuple[str, str], dict[str, Plaintext]] = {}
    for id_, record in sorted(store.records.items()):
        if names and id_.name not in names:
            continue
        try:
            value = open_sealed(keys, record.sealed, label(record.scope, record.namespace, record.name))
        except NoKeyOpensError:
            problems.add(
                f"none of the private keys opens `{id_}`",
                "give the key of the cluster it was sealed for; --private-key can be given several times",
                Location(store.file, 1, 1),
            )
            continue
        found.setdefault((id_.namespace, id_.name), {})[id_.key] = value
    problems.raise_any()
    return [Unsealed(namespace, name, values) for (namespace, name), values in sorted(found.items())]


def as_manifests(unsealed: Sequence[Unsealed]) -> Plaintext:
    """The Secrets as one JSON `List` that kubectl takes; in clear, so behind the wall until it is written out."""
    items = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": one.name, "namespace": one.namespace},
            "data": {key: base64.b64encode(value.reveal()).decode() for key, value in sorted(one.values.items())},
        }
        for one in unsealed
    ]
    return Plaintext((json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2) + "\n").encode())
