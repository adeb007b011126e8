"""`envc secrets seal|set|rotate`: encrypts what changed and nothing else, for one environment or many."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.errors import EnvcError, Problem, Problems, UnavailableError, UsageError, fail
from envcompile.secrets.backends import OriginError, Resolved
from envcompile.secrets.ciphertext import label
from envcompile.secrets.contents import check_contents
from envcompile.secrets.identity import provenance
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.resolve import public_template
from envcompile.secrets.scheme import is_typed_in
from envcompile.secrets.store import Record, Update, update_store
from envcompile.secrets.validate import binding_of, is_moved, judge, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.certificate import Certificate
    from envcompile.secrets.declared import Declaration, SecretEntry
    from envcompile.secrets.identity import IdentityKey
    from envcompile.secrets.secret_set import SecretSet
    from envcompile.secrets.store import Store, ValueId

Action = Literal["sealed", "kept", "unverified", "removed"]
ALPHABET = string.ascii_letters + string.digits
LEAST_GENERATED = 16
"""Fewer characters than this of 62 kinds can be guessed by whoever holds a digest of them."""


class Row(NamedTuple):
    """What happened to one value; holds no value."""

    environment: str
    id: ValueId
    action: Action
    note: str = ""


class Result(NamedTuple):
    """What a command did; `changed` names the stores that have other bytes now."""

    rows: tuple[Row, ...]
    warnings: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(slots=True)
class _Plan:
    """What will be written for one environment when every environment is well."""

    secret_set: SecretSet
    put: list[Record] = field(default_factory=list)
    drop: set[ValueId] = field(default_factory=set)
    templates: dict[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def write(self) -> bool:
        update = Update(tuple(self.put), frozenset(self.drop), self.templates)
        return update_store(self.secret_set.root, self.secret_set.store_file, update)


class Sealer:
    """Seals for one environment; opens the certificate when the first value needs it."""

    def __init__(self, secret_set: SecretSet, identity: IdentityKey | None, now: datetime) -> None:
        self._secret_set, self._identity, self._now = secret_set, identity, now
        self._certificate: Certificate | None = None
        self.warnings: tuple[str, ...] = ()

    def record(
        self, declaration: Declaration, entry: SecretEntry, resolved: Resolved, *, identity: str | None = None
    ) -> Record:
        """Encrypt one value.

        Args:
            declaration: the Secret it belongs to.
            entry: which key.
            resolved: the value, with its source's version where there is one.
            identity: a change identity to keep, when the value is known to be the same.
        """
        from envcompile.secrets.sealing import seal

        if self._certificate is None:
            self._certificate, self.warnings = self._secret_set.certificate(self._now)
        bound = label(declaration.scope, declaration.namespace, declaration.name)
        if identity is None:
            identity = self._identify(declaration, entry, resolved)
        return Record(
            entry.id,
            declaration.scope,
            declaration.namespace,
            declaration.name,
            self._certificate.fingerprint,
            seal(self._certificate.key, resolved.value, bound),
            identity,
        )

    def _identify(self, declaration: Declaration, entry: SecretEntry, resolved: Resolved) -> str:
        binding = binding_of(declaration, entry)
        keyed = "" if self._identity is None else self._identity.seal(binding, resolved.value)
        if resolved.version is None or entry.reference is None:
            return keyed
        public = provenance(binding, entry.reference.uri, resolved.version)
        return f"{public}+{keyed}" if resolved.is_shared_version and keyed else public


def seal_environments(
    secret_sets: Sequence[SecretSet],
    names: Sequence[str] = (),
    *,
    surroundings: Surroundings,
    identity: IdentityKey | None,
    now: datetime,
) -> Result:
    """Seal what is new or changed in each environment, with each environment's own certificate.

    A name must be known to one of the environments at least. Nothing is written when anything is wrong anywhere.

    Raises:
        EnvcError: with every problem of every environment.
    """
    problems = Problems()
    plans = []
    for secret_set in _with_names(secret_sets, names):
        try:
            plans.append(_plan(secret_set, names, surroundings, identity, now))
        except (UsageError, UnavailableError):
            raise
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    return _write(plans)


def _with_names(secret_sets: Sequence[SecretSet], names: Sequence[str]) -> list[SecretSet]:
    if len(secret_sets) == 1 or not names:
        return list(secret_sets)
    known = [
        secret_set
        for secret_set in secret_sets
        if {declaration.name for declaration in secret_set.declarations} & set(names)
    ]
    if not known:
        secret_sets[0].chosen(names)
    return known


def _write(plans: Iterable[_Plan]) -> Result:
    rows: list[Row] = []
    warnings: list[str] = []
    changed = []
    for plan in plans:
        if plan.write():
            changed.append(plan.secret_set.store_file)
        rows += plan.rows
        warnings += plan.warnings
    return Result(tuple(rows), tuple(dict.fromkeys(warnings)), tuple(changed))


def _plan(
    secret_set: SecretSet, names: Sequence[str], surroundings: Surroundings, identity: IdentityKey | None, now: datetime
) -> _Plan:
    store, plan, problems = secret_set.store(), _Plan(secret_set), Problems()
    chosen = secret_set.chosen(
        [name for name in names if name in {one.name for one in secret_set.declarations}] or names
    )
    sealer = Sealer(secret_set, identity, now)
    for declaration in chosen:
        try:
            _plan_secret(plan, declaration, store, sealer, surroundings, identity, now)
        except UnavailableError:
            raise
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    plan.warnings += sealer.warnings
    if any(declaration.scope == "cluster-wide" for declaration in chosen):
        plan.warnings.append(
            f"environment {secret_set.environment} seals cluster-wide: "
            "who may create SealedSecrets anywhere can read them"
        )
    _prune(plan, secret_set.own_store(), chosen, everything=not names)
    return plan


def _plan_secret(
    plan: _Plan,
    declaration: Declaration,
    store: Store,
    sealer: Sealer,
    surroundings: Surroundings,
    identity: IdentityKey | None,
    now: datetime,
) -> None:
    problems = Problems()
    fresh: list[tuple[SecretEntry, Resolved]] = []
    values: dict[str, Plaintext] = {}
    for entry in declaration.sealable:
        record = store.records.get(entry.id)
        note = ""
        resolved: Resolved | None = None
        if record is not None and not is_moved(declaration, record):
            judgement = judge(declaration, entry, record, surroundings=surroundings, identity=identity)
            if judgement.value is not None:
                values[entry.id.key] = judgement.value.value
            if judgement.verdict != "changed" and not judgement.is_outdated:
                action: Action = "kept" if judgement.verdict == "unchanged" else "unverified"
                plan.rows.append(Row(declaration.environment, entry.id, action, judgement.note))
                continue
            if declaration.immutable and not judgement.is_outdated:
                _refuse_immutable(declaration, entry, problems)
                continue
            resolved, note = judgement.value, judgement.note if judgement.is_outdated else "changed"
        elif record is not None:
            note = f"was sealed for {record.namespace}/{record.name} ({record.scope})"
        try:
            resolved = resolved or _read(declaration, entry, surroundings)
        except OriginError as error:
            what = f"{declaration.title}: the value of `{entry.id.key}` cannot be read: {error}"
            if error.unavailable:
                raise UnavailableError([Problem(what, error.fix, (entry.where,))]) from None
            problems.add(what, error.fix, entry.where)
            continue
        values[entry.id.key] = resolved.value
        fresh.append((entry, resolved))
        plan.rows.append(Row(declaration.environment, entry.id, "sealed", note))
        plan.warnings += [
            f"{declaration.title}: the value of `{entry.id.key}` {warning}" for warning in resolved.warnings
        ]
    problems.raise_any()
    if fresh:
        plan.warnings += check_contents(declaration, values, now)
    plan.put += [sealer.record(declaration, entry, resolved) for entry, resolved in fresh]
    place = (declaration.namespace, declaration.name)
    if declaration.private:
        plan.templates[place] = public_template(declaration)
    elif place in store.templates:
        plan.templates[place] = None


def _refuse_immutable(declaration: Declaration, entry: SecretEntry, problems: Problems) -> None:
    problems.add(
        f"{declaration.title} is immutable, but the value of `{entry.id.key}` changed",
        "give the Secret a new name and point the workloads at it, or delete it in the cluster first",
        entry.where,
    )


def _read(declaration: Declaration, entry: SecretEntry, surroundings: Surroundings) -> Resolved:
    if entry.reference is None or not is_typed_in(entry.reference):
        return value_of(entry, surroundings)
    if surroundings.prompt is None:
        raise OriginError(
            "it is asked for, and nobody is here to answer",
            f"run `envc secrets set {entry_words(declaration, entry)}` with the value on stdin",
            absent=True,
        )
    return Resolved(Plaintext(surroundings.prompt(entry_words(declaration, entry)).encode()))


def entry_words(declaration: Declaration, entry: SecretEntry) -> str:
    """Environment, Secret and key, as the commands take them."""
    return f"{declaration.environment} {declaration.name} {entry.id.key}"


def _prune(plan: _Plan, store: Store, chosen: Sequence[Declaration], *, everything: bool) -> None:
    """Drop the records of keys that are declared no more; another person's private Secret is not ours to drop."""
    declared = {entry.id for declaration in plan.secret_set.declarations for entry in declaration.sealable}
    secrets_here = {(declaration.namespace, declaration.name) for declaration in plan.secret_set.declarations}
    within = {(declaration.namespace, declaration.name) for declaration in chosen}
    for id_ in store.records:
        place = (id_.namespace, id_.name)
        foreign = place in store.templates and place not in secrets_here
        if id_ not in declared and not foreign and (everything or place in within):
            plan.drop.add(id_)
            plan.rows.append(Row(plan.secret_set.environment, id_, "removed", "is declared no more"))


def set_value(
    secret_set: SecretSet, name: str, key: str, value: Plaintext, *, identity: IdentityKey | None, now: datetime
) -> Result:
    """Seal one value given by a person, whatever its reference would give.

    Raises:
        EnvcError: when the environment declares no such value, or the value is not what its Secret's type promises.
    """
    declaration, entry = secret_set.entry(name, key)
    store, plan = secret_set.store(), _Plan(secret_set)
    record = store.records.get(entry.id)
    if declaration.immutable and record is not None:
        problems = Problems()
        _refuse_immutable(declaration, entry, problems)
        problems.raise_any()
    plan.warnings += check_contents(declaration, {key: value}, now)
    sealer = Sealer(secret_set, identity, now)
    plan.put.append(sealer.record(declaration, entry, Resolved(value)))
    plan.warnings += sealer.warnings
    note = ""
    if entry.reference is not None and not is_typed_in(entry.reference):
        note = f"declared as {entry.reference}: the next `envc secrets seal` takes the value from there when it differs"
    plan.rows.append(Row(secret_set.environment, entry.id, "sealed", note))
    if declaration.private:
        plan.templates[declaration.namespace, declaration.name] = public_template(declaration)
    return _write([plan])


def generate(length: int) -> Plaintext:
    """A random value of letters and digits.

    Raises:
        UsageError: for a length that can be guessed.
    """
    if length < LEAST_GENERATED:
        raise UsageError(fail(f"{length} characters can be guessed", f"take {LEAST_GENERATED} or more").problems)
    return Plaintext("".join(secrets.choice(ALPHABET) for _ in range(length)).encode())


def text_value(data: bytes, *, strip_newline: bool) -> tuple[Plaintext, tuple[str, ...]]:
    """A value as it came from stdin, with what to warn of.

    Raises:
        UsageError: for text in UTF-16, which no program reads as the secret it looks like.
    """
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise UsageError(fail("the value on stdin is text in UTF-16", "give it as UTF-8").problems)
    if strip_newline:
        return Plaintext(data.removesuffix(b"\n").removesuffix(b"\r")), ()
    if data.endswith(b"\n"):
        return Plaintext(data), (
            "the value ends with a newline, which becomes part of the secret; --strip-newline takes it off",
        )
    return Plaintext(data), ()
