"""A folder of which a few files differ from what the last build wrote is known as one that is looked at whole."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from envcompile.emit.former import Former
from envcompile.emit.index import INDEX_NAME, render_record
from envcompile.emit.revised import RevisedDigests, renewed
from envcompile.seenfiles import UNREAD, Files, outputs_in
from envcompile.seenplaces import places_in
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    INDEX_NAME: "index",
    "a.yaml": "0",
    "web/a.yaml": "1",
    "web/aa.yaml": "2",
    "web/deep/a.yaml": "3",
    "web-x/a.yaml": "4",
    "z/only.yaml": "5",
}


@pytest.fixture
def before(tmp_path: Path) -> Files:
    """What a build wrote, with what is in it."""
    folder = write_files(tmp_path / "prod", FILES)
    found = outputs_in(str(folder))
    known = found.with_digests([sha256(FILES[path].encode()).hexdigest() for path in found.paths()])
    assert known is not None
    return Files(known.names, known.stats, known.digests)


def test_a_file_is_found_in_the_listing_itself(before: Files) -> None:
    """Where a table of all would have it."""
    assert {path: Files(before.names, b"").place_of(path) for path in FILES} == before.places
    strangers = ("web", "web/", "b.yaml", "web/b.yaml", "eep/a.yaml", "web/deep/aa.yaml", "x/a.yaml", "")
    assert [Files(before.names, b"").place_of(path) for path in strangers] == [None] * len(strangers)
    assert places_in(b"", "") == {}


def test_digests_are_told_without_taking_all_apart(before: Files) -> None:
    """One by one, and of many after one another."""
    for path, text in [*FILES.items()] * 5:
        assert before.digest(path) == sha256(text.encode()).hexdigest()
    assert before.digest("strange.yaml") == UNREAD
    assert before.are_all_read
    unread = before.with_digests(["", *["0" * 64] * (len(before) - 1)])
    assert unread is not None
    assert not unread.are_all_read


def test_revised_digests_are_those_of_before_but_for_what_changed(before: Files) -> None:
    """The index is none of them; what is told to be another one, and is not, did not change."""
    same = before.digest("a.yaml")
    found = RevisedDigests(before, {"web/a.yaml": "f" * 64, "a.yaml": same})
    assert found.changed == {"web/a.yaml": "f" * 64}
    wanted = {path: before.digest(path) for path in FILES if path != INDEX_NAME} | {"web/a.yaml": "f" * 64}
    assert dict(found) == found.whole() == wanted
    assert len(found) == len(wanted)
    assert {path: path in found for path in (*FILES, "b.yaml")} == {path: path in wanted for path in (*FILES, "b.yaml")}
    assert found.get(INDEX_NAME) is found.get("b.yaml") is None
    assert {*found.unchanged} == wanted.keys() - {"web/a.yaml"}
    assert len(found.unchanged) == len(wanted) - 1
    assert "web/a.yaml" not in found.unchanged
    assert "a.yaml" in found.unchanged


@pytest.mark.parametrize("path", [path for path in FILES if path != INDEX_NAME])
def test_what_was_replaced_is_seen_as_by_a_look_at_all(tmp_path: Path, before: Files, path: str) -> None:
    """Down to the order in which the system lists it."""
    folder = tmp_path / "prod"
    (folder / "new").write_text("other")
    (folder / "new").replace(folder / path)
    found = renewed(before, str(folder), path, sha256(b"other").hexdigest())
    assert found is not None
    whole = outputs_in(str(folder))
    assert (found.names, found.stats) == (whole.names, whole.stats)
    assert found.digest_of == before.digest_of | {path: sha256(b"other").hexdigest()}
    assert renewed(before, str(folder), "strange.yaml", "0" * 64) is None
    (folder / path).unlink()
    assert renewed(before, str(folder), path, "0" * 64) is None


@pytest.mark.parametrize("record", ["that of the last build", "cut short", "of other files", "none"])
def test_the_record_of_what_was_written_is_whole(tmp_path: Path, before: Files, record: str) -> None:
    """Also where only a few lines of it are others, and where the one that is there is not the last build's."""
    digests = RevisedDigests(before, {"web/a.yaml": "f" * 64, "z/only.yaml": "e" * 64})
    last = render_record({path: before.digest(path) for path in FILES if path != INDEX_NAME})
    if record == "cut short":
        last = last[: len(last) // 2]
    elif record == "of other files":
        last = last.replace(b"web/a.yaml", b"web/b.yaml")
    elif record == "none":
        last = b""
    home = tmp_path / ".envc"
    first = Former(tmp_path / "environments/prod", tmp_path)
    first._write(last, home)
    former = Former(tmp_path / "environments/prod", tmp_path)
    former.announce(digests, home)
    announced = Former(tmp_path / "environments/prod", tmp_path)
    for path in digests:
        assert digests[path] in announced.written(path)
    former.settle(digests, home)
    settled = Former(tmp_path / "environments/prod", tmp_path)
    assert {path: settled.written(path) for path in digests} == {path: (digests[path],) for path in digests}
    assert settled.is_now(digests)


@pytest.mark.parametrize("name", ["a\nb.yaml", "\n.yaml", "x/\ny.yaml", "web/\n"])
def test_a_name_with_a_line_break_is_no_two_files(tmp_path: Path, name: str) -> None:
    """What was just seen is told of each file, though such a listing is never kept."""
    path = f"web/{name}" if not name.endswith("\n") else f"{name}z.yaml"
    found = outputs_in(str(write_files(tmp_path / "prod", {**FILES, path: "6"})))
    assert path in found.paths()
    for each, stat in found.stat_of.items():
        assert (found.stat(each), each in found) == (stat, True)
    assert "web/nothing.yaml" not in found
    assert found.with_digests([UNREAD] * len(found)) is None
