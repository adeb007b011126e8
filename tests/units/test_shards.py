"""Records of a memo in several files by what they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.units.shards import Shards, file_of, shard_of

if TYPE_CHECKING:
    from pathlib import Path


def _all(_key: str) -> bool:
    return True


def test_one_record_writes_one_file(tmp_path: Path) -> None:
    """All others stay as they were, and what is not wanted any more goes with the file that is written."""
    folder = tmp_path / ".envc/units"
    shards = Shards(folder, "kept", "tool")
    for number in range(40):
        shards.put(f"app{number}", f"key{number}", b"%d" % number)
    shards.save(_all)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = Shards(folder, "kept", "tool")
    assert [again.get(f"app{number}", f"key{number}") for number in range(40)] == [b"%d" % n for n in range(40)]
    again.put("app7", "new", b"new")
    again.save(lambda key: key != "key7")
    assert {path for path in folder.iterdir() if path.stat().st_mtime_ns != before[path]} == {
        file_of(folder, "kept", shard_of("app7"))
    }
    last = Shards(folder, "kept", "tool")
    assert (last.get("app7", "new"), last.get("app7", "key7")) == (b"new", None)


def test_what_another_envc_kept_or_nobody_did_is_not_there(tmp_path: Path) -> None:
    """Nor is what is damaged; nothing is written where there is no folder."""
    folder = tmp_path / ".envc/units"
    shards = Shards(folder, "kept", "tool")
    shards.put("app", "key", b"record")
    shards.save(_all)
    number = shard_of("app")
    assert Shards(folder, "kept", "tool").are_there([number])
    assert not Shards(folder, "kept", "tool").are_there([number, (number + 1) % 16])
    assert Shards(folder, "kept", "other").get("app", "key") is None
    file = file_of(folder, "kept", number)
    file.write_bytes(file.read_bytes()[:-1])
    assert Shards(folder, "kept", "tool").get("app", "key") is None
    nowhere = Shards(None, "kept", "tool")
    nowhere.put("app", "key", b"record")
    nowhere.save(_all)
    assert nowhere.get("app", "key") == b"record"
    assert not nowhere.are_there([number])
