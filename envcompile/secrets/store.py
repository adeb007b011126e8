"""The sealed store `overlays/<env>/sealed.yaml`: one record a value, sorted, no timestamps, replaced in one step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from envcompile.errors import Problems, did_you_mean
from envcompile.files import inside, lock, read_below, sweep, unwritable, write_atomically
from envcompile.model import Location
from envcompile.secrets.ciphertext import SCOPES, BrokenCiphertextError, take_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.model import Pointer
    from envcompile.secrets.ciphertext import Scope

STORE_NAME = "sealed.yaml"
HEADER = "# Sealed values, written by `envc secrets`: ciphertext only, made to be committed.\n"
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
_KEYED = r"hmac:[0-9a-f]{8}:[0-9a-f]{32}:[0-9a-f]{32}"
_IDENTITY = re.compile(rf"provenance:[0-9a-f]{{32}}(?:\+{_KEYED})?|{_KEYED}")
_RECORD_FIELDS = ("sealed_for", "certificate", "identity", "sealed")
_TEMPLATE_FIELDS = ("type", "immutable", "labels", "annotations", "harmless")


class LayerStore(Protocol):
    """The store of one layer of an environment, and which of its records count there."""

    @property
    def path(self) -> str:
        """The path relative to the repository."""
        ...

    @property
    def accepted(self) -> frozenset[str] | None:
        """Fingerprints of the certificates whose records count; None when all of them do."""
        ...

    def read(self) -> bytes:
        """The file's bytes."""
        ...


class ValueId(NamedTuple):
    """Which value of which Secret."""

    namespace: str
    name: str
    key: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}/{self.key}"


@dataclass(frozen=True, slots=True)
class Record:
    """One sealed value: for whom, with which certificate, how to see that it changed, and the ciphertext."""

    id: ValueId
    scope: Scope
    namespace: str
    name: str
    certificate: str
    sealed: str
    identity: str = ""
    layer: str = field(default="", compare=False)
    """The layer whose store it comes from, when that is not the environment's own."""


@dataclass(frozen=True, slots=True)
class Store:
    """All sealed values of one environment, and the shape of Secrets whose only source is a file git ignores."""

    file: str
    """Relative to the repository, for messages."""
    records: Mapping[ValueId, Record] = field(default_factory=dict)
    templates: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def of_secret(self, namespace: str, name: str) -> dict[str, Record]:
        """The records of one Secret by key."""
        return {id_.key: record for id_, record in self.records.items() if id_[:2] == (namespace, name)}

    def sealed_elsewhere(self, wanted: ValueId) -> Record | None:
        """A value of this key that was sealed under another name or in another namespace."""
        near = [record for id_, record in sorted(self.records.items()) if id_.key == wanted.key and id_ != wanted]
        same_name = [record for record in near if record.id.name == wanted.name]
        same_namespace = [record for record in near if record.id.namespace == wanted.namespace]
        return next(iter(same_name or same_namespace), None)


def parse_store(data: bytes, file: str) -> Store:
    """Read a store.

    Raises:
        EnvcError: naming file and line of every record that is not what `envc secrets` writes.
    """
    from envcompile import yamlio

    documents = [value for value in yamlio.load_all(data, file) if value is not None]
    problems = Problems()
    reader = _StoreParser(data, file, problems)
    records: dict[ValueId, Record] = {}
    templates: dict[tuple[str, str], Mapping[str, Any]] = {}
    if len(documents) > 1 or (documents and not isinstance(documents[0], dict)):
        problems.add("a sealed store is one mapping of records", "restore it from git", Location(file, 1, 1))
    elif documents:
        for title, value in documents[0].items():
            parts = str(title).split("/")
            if len(parts) == 3 and all(parts):
                if (record := reader.record(str(title), ValueId(*parts), value)) is not None:
                    records[record.id] = record
            elif len(parts) == 2 and all(parts):
                if reader.fields((str(title),), value, _TEMPLATE_FIELDS, ("type",)):
                    templates[parts[0], parts[1]] = value
            else:
                reader.wrong(
                    (str(title),), f"`{title}` does not read NAMESPACE/NAME/KEY", "restore the file from git", key=True
                )
    problems.raise_any()
    return Store(file, records, templates)


class _StoreParser:
    """Checks records and turns every flaw into a problem with its line."""

    def __init__(self, data: bytes, file: str, problems: Problems) -> None:
        self._data, self._file, self._problems = data, file, problems

    def wrong(self, pointer: Pointer, what: str, fix: str, *, key: bool = False) -> None:
        from envcompile import yamlio

        place = (
            yamlio.locate(self._data, 0, pointer, key=key)
            or yamlio.locate(self._data, 0, pointer[:1], key=True)
            or (1, 1)
        )
        self._problems.add(what, fix, Location(self._file, *place))

    def fields(self, pointer: Pointer, value: Any, known: tuple[str, ...], needed: tuple[str, ...]) -> bool:
        title = pointer[0]
        if not isinstance(value, dict):
            self.wrong(pointer, f"the record `{title}` is not a mapping", "restore the file from git", key=True)
            return False
        unknown = [name for name in value if name not in known]
        for name in unknown:
            self.wrong(
                (*pointer, name),
                f"`{title}` has an unknown field `{name}`",
                did_you_mean(name, known, "remove it"),
                key=True,
            )
        missing = [name for name in needed if name not in value]
        if missing:
            self.wrong(pointer, f"`{title}` lacks `{'`, `'.join(missing)}`", "restore the file from git", key=True)
        return not unknown and not missing

    def record(self, title: str, id_: ValueId, value: Any) -> Record | None:
        bound = ("scope", "namespace", "name")
        if not self.fields((title,), value, _RECORD_FIELDS, ("sealed_for", "certificate", "sealed")):
            return None
        sealed_for = value["sealed_for"]
        if not self.fields((title, "sealed_for"), sealed_for, bound, bound):
            return None
        reseal = f"seal it again: `envc secrets set ENV {id_.name} {id_.key}`"
        right = True
        if sealed_for["scope"] not in SCOPES:
            self.wrong((title, "sealed_for", "scope"), f"`{title}` has an unknown scope", f"one of {', '.join(SCOPES)}")
            right = False
        if not _FINGERPRINT.fullmatch(str(value["certificate"])):
            self.wrong((title, "certificate"), f"`{title}` names no certificate fingerprint", reseal)
            right = False
        if not _IDENTITY.fullmatch(str(identity := value.get("identity", ""))) and identity != "":
            self.wrong(
                (title, "identity"), f"`{title}` has a malformed change identity", "remove the line or " + reseal
            )
            right = False
        try:
            take_apart(value["sealed"])
        except BrokenCiphertextError as error:
            self.wrong((title, "sealed"), f"the sealed value of `{title}` {error}", reseal)
            right = False
        if not right:
            return None
        return Record(
            id_,
            sealed_for["scope"],
            str(sealed_for["namespace"]),
            str(sealed_for["name"]),
            value["certificate"],
            value["sealed"],
            identity,
        )


def store_of(environment: str, files: Iterable[LayerStore]) -> Store:
    """The store of an environment from its layers' files; a later layer's records win.

    Raises:
        EnvcError: as `parse_store`.
    """
    return merged_stores(environment, [(parse_store(file.read(), file.path), file.accepted) for file in files])


def merged_stores(environment: str, stores: Sequence[tuple[Store, frozenset[str] | None]]) -> Store:
    """One store of those of an environment's layers, lowest first, each with the certificates whose records count.

    Of a Secret that only a file on somebody's machine declares, all of a layer's records count or none.
    """
    own = f"overlays/{environment}/{STORE_NAME}"
    read = list(starmap(_accepted_part, stores))
    if len(read) == 1 and read[0].file == own:
        return read[0]
    records = {
        id_: record if store.file == own else replace(record, layer=_layer_of(store.file))
        for store in read
        for id_, record in store.records.items()
    }
    templates = {place: template for store in read for place, template in store.templates.items()}
    return Store(own, records, templates)


def _layer_of(file: str) -> str:
    return file.removeprefix("overlays/").removesuffix(f"/{STORE_NAME}")


def _accepted_part(store: Store, accepted: frozenset[str] | None) -> Store:
    if accepted is None:
        return store
    foreign = {id_ for id_, record in store.records.items() if record.certificate not in accepted}
    whole = {(id_.namespace, id_.name) for id_ in foreign} & set(store.templates)
    kept = {
        id_: record for id_, record in store.records.items() if id_ not in foreign and (id_[0], id_[1]) not in whole
    }
    return Store(store.file, kept, store.templates)


def render_store(store: Store) -> str:
    """The text of a store: the same records always give the same bytes."""
    from envcompile import yamlio

    content: dict[str, Any] = {}
    for (namespace, name), template in store.templates.items():
        content[f"{namespace}/{name}"] = dict(template)
    for id_, record in store.records.items():
        content[str(id_)] = {
            "sealed_for": {"scope": record.scope, "namespace": record.namespace, "name": record.name},
            "certificate": record.certificate,
            **({"identity": record.identity} if record.identity else {}),
            "sealed": record.sealed,
        }
    return HEADER + (yamlio.dump({title: content[title] for title in sorted(content)}) if content else "{}\n")


def read_store(root: Path, file: str) -> Store:
    """The store of an environment; an empty one when the file does not exist yet."""
    data = read_below(root, file)
    return Store(file) if data is None else parse_store(data, file)


@dataclass(frozen=True, slots=True)
class Update:
    """A change of a store: records to put, values to drop, templates to put (None drops one)."""

    put: tuple[Record, ...] = ()
    drop: frozenset[ValueId] = frozenset()
    templates: Mapping[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)


def update_store(root: Path, file: str, update: Update) -> bool:
    """Apply a change to the store on disk; True when a byte changed.

    The file is read again under a lock, so that two sealings at once both keep their records, and replaced in one
    step: whoever is killed here leaves the old store or the new one, whole.
    """
    path = inside(root, file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(file, error) from None
    with lock(path.parent):
        before = read_below(root, file)
        store = parse_store(before, file) if before is not None else Store(file)
        records = {id_: record for id_, record in store.records.items() if id_ not in update.drop}
        records |= {record.id: record for record in update.put}
        templates = dict(store.templates)
        for key, template in update.templates.items():
            if template is None:
                templates.pop(key, None)
            else:
                templates[key] = template
        after = render_store(Store(file, records, templates)).encode()
        if after == before or (before is None and not records and not templates):
            return False
        sweep(path.parent, path.name, age=0)
        write_atomically(path, after, shown=file)
        return True
