"""The sealed store: what it says of damage, and that no writer loses another's records."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

import multiprocessing
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from envcompile.errors import EnvcError, UnavailableError
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.sealing import seal
from envcompile.secrets.store import (
    Record,
    Store,
    Update,
    ValueId,
    parse_store,
    read_store,
    render_store,
    store_of,
    update_store,
)
from tests.secrets.repository import fingerprint, private_key

FILE = "overlays/prod/sealed.yaml"


def record(key: str, name: str = "db", identity: str = "") -> Record:
    """A record of its own."""
    id_ = ValueId("prod", name, key)
    return Record(
        id_,
        "strict",
        "prod",
        name,
        fingerprint(),
        seal(private_key().public_key(), Plaintext(b"x"), b"prod/db"),
        identity,
    )


def test_reading_what_was_written_gives_the_same_store() -> None:
    """Records sorted by their title, whatever order they came in; names that YAML would misread stay texts."""
    records = [record("b"), record("a", identity="provenance:" + "0" * 32), record("1e3", "on")]
    store = Store(
        FILE, {one.id: one for one in records}, {("prod", "private"): {"type": "Opaque", "labels": {"a": "b"}}}
    )
    text = render_store(store)
    assert parse_store(text.encode(), FILE) == Store(FILE, {one.id: one for one in records}, store.templates)
    titles = [line for line in text.splitlines() if line[:1] not in {" ", "#"}]
    assert titles == ["prod/db/a:", "prod/db/b:", "prod/on/1e3:", "prod/private:"]
    assert render_store(parse_store(text.encode(), FILE)) == text


def test_a_missing_store_is_an_empty_one_and_is_not_created_for_nothing(tmp_path: Path) -> None:
    """No change, no file."""
    assert read_store(tmp_path, FILE) == Store(FILE)
    assert not update_store(tmp_path, FILE, Update(drop=frozenset({ValueId("a", "b", "c")})))
    assert not (tmp_path / FILE).exists()


def damaged(text: str) -> str:
    """What is said of a store."""
    with pytest.raises(EnvcError) as error:
        parse_store(text.encode(), FILE)
    return str(error.value)


GOOD = render_store(Store(FILE, {record("a").id: record("a")}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("prod/db/a", "prod/a/b/c", "error: `prod/a/b/c` does not read NAMESPACE/NAME/KEY\n  --> F:2:1\nhint: restore the file from git"),
        ("scope: strict", "scope: wide", "error: `prod/db/a` has an unknown scope\n  --> F:4:12\nhint: one of strict, namespace-wide, cluster-wide"),
        ("certificate: sha256", "certificate: md5", "error: `prod/db/a` names no certificate fingerprint\n  --> F:7:16\nhint: seal it again: `envc secrets set ENV db a`"),
        ("certificate", "certificat", "error: `prod/db/a` lacks `certificate`\n  --> F:2:1\nhint: restore the file from git\n\nerror: `prod/db/a` has an unknown field `certificat`\n  --> F:7:3\nhint: did you mean `certificate`?"),
        ("    name: db\n", "", "error: `prod/db/a` lacks `name`\n  --> F:3:3\nhint: restore the file from git"),
        ("  certificate", "  identity: sha256:00\n  certificate", "error: `prod/db/a` has a malformed change identity\n  --> F:7:13\nhint: remove the line or seal it again: `envc secrets set ENV db a`"),
    ],
    ids=["title", "scope", "certificate", "typo", "missing", "identity"],
)  # fmt: skip
def test_damage_is_named_with_its_line(old: str, new: str, message: str) -> None:
    """Hand edits and bad merges."""
    assert damaged(GOOD.replace(old, new)) == message.replace("F:", f"{FILE}:").replace("  --> F", f"  --> {FILE}")


def test_a_store_of_another_shape_is_refused() -> None:
    """A list, or two documents."""
    message = f"error: a sealed store is one mapping of records\n  --> {FILE}:1:1\nhint: restore it from git"
    assert damaged("- a\n") == message
    assert damaged("a: 1\n---\nb: 1\n") == message


def test_layers_are_laid_over_each_other() -> None:
    """An environment's own records win over those of what it extends."""

    class Given(NamedTuple):
        path: str
        data: bytes
        accepted: frozenset[str] | None = None

        def read(self) -> bytes:
            return self.data

    own, below = record("a"), record("a")
    files = [
        Given(name, render_store(Store(name, {one.id: one})).encode()) for name, one in (("below", below), ("own", own))
    ]
    store = store_of("prod", files)
    assert store.records[own.id].sealed == own.sealed
    assert store.file == FILE
    assert store_of("prod", []).records == {}


def put(folder: str, key: str) -> None:
    """Add one record, as another process."""
    update_store(Path(folder), FILE, Update((record(key),)))


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    """Each one reads again under a lock."""
    context = multiprocessing.get_context("fork")
    private_key()
    writers = [context.Process(target=put, args=(str(tmp_path), f"k{number}")) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {id_.key for id_ in read_store(tmp_path, FILE).records} == {f"k{number}" for number in range(6)}


def test_what_a_killed_writer_left_is_swept_away(tmp_path: Path) -> None:
    """And was never mistaken for a source: it does not end in .yaml."""
    leftover = tmp_path / "overlays/prod/.sealed.yaml.tmp-x"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("half")
    update_store(tmp_path, FILE, Update((record("a"),)))
    assert sorted(path.name for path in leftover.parent.iterdir()) == ["sealed.yaml"]


def test_a_failed_write_leaves_the_old_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a signal: old or new, whole; no half file beside it."""
    update_store(tmp_path, FILE, Update((record("a"),)))
    before = (tmp_path / FILE).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        UnavailableError,
        match=r"no space left to write overlays/prod/sealed\.yaml\nhint: free some space, then try again; the file is",
    ):
        update_store(tmp_path, FILE, Update((record("b"),)))
    assert (tmp_path / FILE).read_bytes() == before
    assert [path.name for path in (tmp_path / FILE).parent.iterdir()] == ["sealed.yaml"]


def test_the_store_can_be_read_by_others(tmp_path: Path) -> None:
    """It is public, and keeps the mode it had."""
    update_store(tmp_path, FILE, Update((record("a"),)))
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o644
    (tmp_path / FILE).chmod(0o664)
    update_store(tmp_path, FILE, Update((record("b"),)))
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o664
