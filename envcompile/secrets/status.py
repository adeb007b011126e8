"""`envc secrets status`: every declared value with its certificate, its age, and whether its source changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.files import read_below
from envcompile.git.lines import line_times
from envcompile.secrets.validate import is_moved, judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.identity import IdentityKey
    from envcompile.secrets.secret_set import SecretSet
    from envcompile.secrets.store import Store, ValueId

State = Literal["unchanged", "changed", "unverified", "missing", "moved", "undeclared", "private"]


class StatusRow(NamedTuple):
    """What is known of one value."""

    environment: str
    id: ValueId
    state: State
    note: str = ""
    source: str = ""
    certificate: str = ""
    """Fingerprint of the certificate it was sealed with."""
    is_current: bool | None = None
    """Whether that is the pinned certificate; None when none is pinned."""
    age_days: int | None = None
    """Days since the sealed value was committed; 0 when it is not committed yet, None when git cannot tell."""


def status(
    secret_set: SecretSet, *, surroundings: Surroundings, identity: IdentityKey | None, now: datetime
) -> list[StatusRow]:
    """Look at every value of an environment; asks nobody, decrypts nothing, writes nothing."""
    store = secret_set.store()
    ages = ages_of(secret_set, store, now)
    pin = secret_set.sealing.fingerprint
    return sorted(_rows(secret_set, store, ages, pin, surroundings, identity), key=lambda row: row.id)


def _rows(
    secret_set: SecretSet,
    store: Store,
    ages: dict[ValueId, int],
    pin: str | None,
    surroundings: Surroundings,
    identity: IdentityKey | None,
) -> Iterator[StatusRow]:
    environment = secret_set.environment
    declared = set()
    for declaration in secret_set.declarations:
        for entry in declaration.sealable:
            declared.add(entry.id)
            source = str(entry.reference) if entry.reference is not None else entry.where.file
            record = store.records.get(entry.id)
            if record is None:
                yield StatusRow(environment, entry.id, "missing", "is not sealed yet", source)
                continue
            current = None if pin is None else record.certificate == pin
            row = StatusRow(
                environment, entry.id, "unchanged", "", source, record.certificate, current, ages.get(entry.id)
            )
            if is_moved(declaration, record):
                sealed_for = f"was sealed for {record.namespace}/{record.name} ({record.scope})"
                yield row._replace(state="moved", note=sealed_for)
                continue
            judgement = judge(declaration, entry, record, surroundings=surroundings, identity=identity)
            yield row._replace(state=judgement.verdict, note=judgement.note)
    for id_, record in store.records.items():
        if id_ not in declared:
            private = (id_.namespace, id_.name) in store.templates
            state: State = "private" if private else "undeclared"
            note = (
                "its source is a file on another machine"
                if private
                else "no Secret declares it: `envc secrets seal` removes it"
            )
            current = None if pin is None else record.certificate == pin
            yield StatusRow(environment, id_, state, note, "", record.certificate, current, ages.get(id_))


def ages_of(secret_set: SecretSet, store: Store, now: datetime) -> dict[ValueId, int]:
    """Days since each sealed value was committed, by what git says of its line; the store itself holds no times."""
    moment = int(now.timestamp())
    found = {}
    for part in secret_set.every_store():
        by_line = line_times(secret_set.root, part.file) if part.records else {}
        lines = (read_below(secret_set.root, part.file) or b"").splitlines() if by_line else []
        times = {line: by_line.get(line, 0) for line, text in enumerate(lines, 1) if text.startswith(b"  sealed: ")}
        if len(times) != len(part.records):
            continue
        # Records are read in the order of their lines, so the n-th `sealed:` line belongs to the n-th record.
        for (id_, record), (_, time) in zip(part.records.items(), sorted(times.items()), strict=True):
            if store.records.get(id_) == record:
                found[id_] = 0 if time == 0 else max(0, (moment - time) // 86_400)
    return found
