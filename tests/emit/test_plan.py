"""The plan names everything that a build would do, and everything that stands in its way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from envcompile.emit.index import digest, parse_index
from envcompile.emit.plan import plan
from envcompile.errors import UnavailableError
from tests.emit.samples import build, bundle

if TYPE_CHECKING:
    from pathlib import Path

WANTED = bundle(web__a="1", web__b="2", api__c="3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment as a build left it."""
    build(tmp_path / "prod", WANTED)
    return tmp_path / "prod"


def test_a_folder_that_holds_the_bundle_is_current(folder: Path) -> None:
    """Nothing to do: every file is unchanged and the index says so."""
    found = plan(folder, WANTED)
    assert found.is_current
    assert sorted(found.unchanged) == ["api/c.yaml", "web/a.yaml", "web/b.yaml"]


def test_a_folder_that_is_not_there_gets_everything(tmp_path: Path) -> None:
    """Every file is added."""
    found = plan(tmp_path / "none", WANTED)
    assert found.added == ("api/c.yaml", "web/a.yaml", "web/b.yaml")
    assert not found.is_current
    assert found.index_now is None


def test_added_changed_and_removed(folder: Path) -> None:
    """What the sources changed is told file by file."""
    found = plan(folder, bundle(web__a="1", web__b="new", web__d="4"))
    assert (found.added, found.changed, found.removed) == (("web/d.yaml",), ("web/b.yaml",), ("api/c.yaml",))
    assert found.unchanged == ("web/a.yaml",)
    assert not found.edited + found.foreign + found.missing + found.others


def test_files_changed_by_hand_are_edited_whether_wanted_or_not(folder: Path) -> None:
    """Also one that the build would remove: nobody's work is lost in silence."""
    (folder / "web/a.yaml").write_text("mine")
    (folder / "api/c.yaml").write_text("mine")
    found = plan(folder, bundle(web__a="1", web__b="2"))
    assert found.edited == ("api/c.yaml", "web/a.yaml")
    assert not [*found.changed, *found.removed]


def test_a_checkout_with_other_line_breaks_is_current(folder: Path) -> None:
    """Git with `core.autocrlf` writes CRLF into a checkout and takes it out again: nobody edited anything."""
    lines = bundle(web__a="1\n", web__b="2\n2\n", api__c="3\n")
    build(folder, lines)
    for path in (*folder.glob("*/*.yaml"), folder / ".envc-index"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert plan(folder, lines).is_current
    found = plan(folder, bundle(web__a="new\n", web__b="2\n2\n"))
    assert (found.changed, found.removed, found.unchanged) == (("web/a.yaml",), ("api/c.yaml",), ("web/b.yaml",))
    assert not found.edited
    (folder / "web/a.yaml").write_bytes(b"mine\r\n")
    assert plan(folder, lines).edited == ("web/a.yaml",)


def test_a_hand_edit_that_equals_the_new_output_is_fine(folder: Path) -> None:
    """Somebody was faster; only the index is behind."""
    (folder / "web/a.yaml").write_text("new")
    found = plan(folder, bundle(web__a="new", web__b="2", api__c="3"))
    assert not [*found.edited, *found.changed]
    assert not found.is_current


def test_a_file_that_is_gone_is_missing(folder: Path) -> None:
    """It is written again, and `--check` tells why."""
    (folder / "web/a.yaml").unlink()
    found = plan(folder, WANTED)
    assert (found.added, found.missing) == (("web/a.yaml",), ("web/a.yaml",))


def test_files_of_others_are_known_and_not_in_the_way(folder: Path) -> None:
    """A README and a file beside ours are kept."""
    (folder / "README.md").write_text("x")
    (folder / "web/zz.yaml").write_text("x")
    found = plan(folder, WANTED)
    assert found.others == ("README.md", "web/zz.yaml")
    assert found.is_current


def test_a_file_of_others_in_the_place_of_one_is_foreign(folder: Path) -> None:
    """What the index does not list is not envc's."""
    (folder / "web/d.yaml").write_text("theirs")
    found = plan(folder, bundle(web__a="1", web__b="2", api__c="3", web__d="4"))
    assert found.foreign == ("web/d.yaml",)
    assert not found.others


@pytest.mark.parametrize("target", ["../elsewhere", "nowhere"])
def test_a_symlink_in_the_place_of_an_application_is_foreign(folder: Path, target: str) -> None:
    """What lies behind it is never looked at."""
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere/a.yaml").write_text("1")
    (folder / "api/c.yaml").unlink()
    (folder / "api").rmdir()
    (folder / "api").symlink_to(target)
    found = plan(folder, WANTED)
    assert (found.foreign, found.missing) == (("api",), ("api/c.yaml",))
    assert not found.others


def test_a_symlink_in_the_place_of_a_file_is_edited(folder: Path) -> None:
    """Even when the same bytes are behind it."""
    (folder / "web/a.yaml").rename(folder / "kept")
    (folder / "web/a.yaml").symlink_to("../kept")
    assert plan(folder, WANTED).edited == ("web/a.yaml",)


def test_a_folder_in_the_place_of_a_file_is_foreign(folder: Path) -> None:
    """And what it holds with it."""
    (folder / "web/a.yaml").unlink()
    (folder / "web/a.yaml").mkdir()
    (folder / "web/a.yaml/notes").write_text("x")
    found = plan(folder, WANTED)
    assert (found.foreign, found.others) == (("web/a.yaml",), ())


def test_a_pipe_is_never_read(folder: Path) -> None:
    """It would hang the build."""
    (folder / "web/a.yaml").unlink()
    os.mkfifo(folder / "web/a.yaml")
    assert plan(folder, WANTED).edited == ("web/a.yaml",)


@pytest.mark.parametrize("make", ["folder", "symlink"])
def test_an_index_that_is_no_file_is_foreign(folder: Path, make: str) -> None:
    """Without it nothing is known to be envc's."""
    (folder / ".envc-index").unlink()
    if make == "folder":
        (folder / ".envc-index").mkdir()
    else:
        (folder / ".envc-index").symlink_to("elsewhere")
    assert plan(folder, bundle(web__z="1")).foreign == (".envc-index",)


def test_a_part_of_the_bundle_says_nothing_about_the_rest(folder: Path) -> None:
    """Files of ours that are not named stay, and an edit of theirs is still known as one afterwards."""
    (folder / "api/c.yaml").write_text("mine")
    found = plan(folder, bundle(web__a="new"), partial=True)
    assert (found.changed, found.removed, found.edited) == (("web/a.yaml",), (), ())
    assert found.others == ("api/c.yaml", "web/b.yaml")
    known = parse_index((folder / ".envc-index").read_bytes())
    assert found.digests == {path: digests[0] for path, digests in known.items()} | {"web/a.yaml": digest(b"new")}


def test_a_folder_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names it and the way out."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UnavailableError) as caught:
        plan(folder, WANTED)
    assert str(caught.value) == (
        f"error: {folder} cannot be read: permission denied\n"
        "hint: make it readable for you, or write elsewhere with `--output DIR`"
    )
