"""Taking sealed values back: the ciphertexts of an environment's sealed.yaml."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from envcompile.compose.inverse_patch import transferred
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.revert.draft_tree import Draft, Edits, Value
    from envcompile.revert.past_state import Then
    from envcompile.secrets.store import Record, Store, ValueId

_KIND = ("bitnami.com", "SealedSecret")


def seal_back(draft: Draft, then: Then) -> None:
    """Put the ciphertexts of the wanted SealedSecrets into the overlay's own store.

    Those of keys that no Secret declares any more stay until the Secret is what it was.
    """
    from envcompile.secrets.store import ValueId

    wanted = [gap.want for gap in draft.state.gaps if gap.id[:2] == _KIND and gap.want is not None]
    if not wanted:
        return
    own, once = _own(draft), then.store()
    records, templates = dict(own.records), dict(own.templates)
    for value in wanted:
        namespace, name = value["metadata"].get("namespace", ""), value["metadata"].get("name", "")
        encrypted = (value.get("spec") or {}).get("encryptedData") or {}
        for key, sealed in encrypted.items():
            which = ValueId(namespace, name, key)
            found = _record(which, sealed, own, once)
            if found is not None:
                records[which] = found
        if once is not None and (namespace, name) in once.templates:
            templates[namespace, name] = once.templates[namespace, name]
    _put(draft, replace(own, records=records, templates=templates), own)


def sweep_up(draft: Draft) -> None:
    """Take out the sealed values that nothing declares once all is as it was."""
    if draft.state.gaps or not any(path.endswith("/sealed.yaml") for path in draft.edits):
        return
    own = _own(draft)
    needed = {
        (value["metadata"].get("namespace", ""), value["metadata"].get("name", ""), key)
        for identity, value in draft.wanted.items()
        if identity[:2] == _KIND
        for key in (value.get("spec") or {}).get("encryptedData") or {}
    }
    touched = {which[:2] for which in _changed(draft, own)}
    records = {which: record for which, record in own.records.items() if which in needed or which[:2] not in touched}
    _put(draft, replace(own, records=records), own)


def redeclared(secret: Value, have: Value, want: Value) -> Value:
    """The Secret that a SealedSecret was made of, as far as that shows: its keys, type, labels and annotations.

    From where a key's value came is not recorded: a key that comes back is one that is asked for at seal time.
    """
    done = dict(secret)
    now, then = (_spec(value).get("encryptedData") or {} for value in (have, want))
    for field in ("data", "stringData"):
        if type(secret.get(field)) is dict:
            done[field] = {key: item for key, item in secret[field].items() if key in then or key not in now}
    missing = [key for key in then if key not in now]
    if missing:
        done["stringData"] = {**(done.get("stringData") or {}), **dict.fromkeys(missing, "ref+prompt://")}
    metadata = dict(secret["metadata"])
    for field in ("labels", "annotations"):
        new = transferred(
            metadata.get(field, ABSENT), have["metadata"].get(field, ABSENT), want["metadata"].get(field, ABSENT)
        )
        metadata = {key: item for key, item in {**metadata, field: new}.items() if item is not ABSENT}
    templates = [_spec(value).get("template") or {} for value in (have, want)]
    for field in ("type", "immutable"):
        new = transferred(secret.get(field, ABSENT), *(each.get(field, ABSENT) for each in templates))
        done = {key: item for key, item in {**done, field: new}.items() if item is not ABSENT}
    return {**done, "metadata": metadata}


def _spec(value: Value) -> Value:
    spec = value.get("spec")
    return spec if type(spec) is dict else {}


def _changed(draft: Draft, own: Store) -> Iterator[tuple[str, str, str]]:
    from envcompile.secrets.store import parse_store

    path = f"{draft.folder}/sealed.yaml"
    before = parse_store(draft.tree.read(path), path).records if draft.tree.is_file(path) else {}
    for which in {*before, *own.records}:
        if before.get(which) != own.records.get(which):
            yield which


def _own(draft: Draft) -> Store:
    from envcompile.secrets.store import Store, parse_store

    path = f"{draft.folder}/sealed.yaml"
    text = draft.text(path)
    return parse_store(text.encode(), path) if text is not None else Store(path)


def _record(which: ValueId, sealed: str, own: Store, once: Store | None) -> Record | None:
    """The record of a ciphertext: the commit's own, else today's with another ciphertext."""
    for store in (own, once):
        record = store.records.get(which) if store is not None else None
        if record is not None and record.sealed == sealed:
            return record
    namespace, name, _ = which
    same_key = [own.records[which]] if which in own.records else []
    alike = [*same_key, *own.of_secret(namespace, name).values()]
    # Whether the value is the one that its source holds now is not known of this ciphertext.
    return replace(alike[0], id=which, sealed=sealed, identity="") if alike else None


def _put(draft: Draft, new: Store, own: Store) -> None:
    from envcompile.secrets.store import render_store

    if (new.records, new.templates) == (own.records, own.templates):
        return
    edits: Edits = {f"{draft.folder}/sealed.yaml": render_store(new).encode()}
    reached = draft.snapshot()
    if draft.adopt(edits) and draft.state.size > reached[1].size:
        draft.go_back(reached)
