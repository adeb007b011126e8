"""Writing moves a finished folder into place and leaves everything alone that did not change."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.emit.index import parse_index
from envcompile.emit.manifests import bundle_of
from envcompile.emit.plan import plan
from envcompile.emit.write import check_folder, sweep, unavailable, write
from envcompile.errors import EnvcError, UnavailableError
from tests.emit.samples import build, bundle, stats
from tests.harness.repository import read_files

if TYPE_CHECKING:
    from pathlib import Path

WANTED = bundle(web__a="1", web__b="2", api__c="3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment as a build left it, with files of others in it."""
    folder = tmp_path / "prod"
    build(folder, WANTED)
    (folder / "README.md").write_text("theirs")
    (folder / "web/notes.txt").write_text("theirs")
    (folder / "web/link").symlink_to("../README.md")
    return folder


def without_index(folder: Path) -> dict[str, bytes]:
    """The files below a folder but for the index."""
    return {path: data for path, data in read_files(folder).items() if path != ".envc-index"}


def test_what_is_unchanged_keeps_its_inode_and_time(folder: Path) -> None:
    """Ours and others', although both applications are swapped."""
    before = stats(folder)
    build(folder, bundle(web__a="1", web__b="new", api__c="new"))
    after = stats(folder)
    assert {path for path in before if before[path] != after[path]} == {
        ".envc-index",
        "api",
        "api/c.yaml",
        "web",
        "web/b.yaml",
    }
    assert (folder / "web/link").is_symlink()
    assert (folder / "web/notes.txt").read_text() == "theirs"


def test_a_second_build_touches_nothing(folder: Path) -> None:
    """Not even the folders."""
    before = stats(folder)
    build(folder, WANTED)
    assert stats(folder) == before


def test_only_the_application_that_changed_is_swapped(folder: Path) -> None:
    """The environment's folder and the other applications stay the same folders."""
    before = stats(folder)
    own = folder.stat().st_ino
    build(folder, bundle(web__a="1", web__b="new", web__d="4", api__c="3"))
    after = stats(folder)
    assert folder.stat().st_ino == own
    assert after["api"] == before["api"]
    assert after["web"] != before["web"]
    assert {path for path in before if after[path] != before[path]} == {".envc-index", "web", "web/b.yaml"}
    assert plan(folder, bundle(web__a="1", web__b="new", web__d="4", api__c="3")).is_current


def test_an_application_that_is_no_more_goes_with_its_folder(folder: Path) -> None:
    """No empty folder is left; the index forgets the files."""
    build(folder, bundle(web__a="1", web__b="2"))
    assert not (folder / "api").exists()
    assert parse_index((folder / ".envc-index").read_bytes()).keys() == {"web/a.yaml", "web/b.yaml"}


def test_an_application_that_is_no_more_leaves_the_files_of_others(folder: Path) -> None:
    """Only what the index lists is removed."""
    build(folder, bundle(api__c="3"))
    assert sorted(without_index(folder)) == ["README.md", "api/c.yaml", "web/link", "web/notes.txt"]


def test_an_environment_that_is_no_more_goes_with_its_folder(tmp_path: Path) -> None:
    """Nothing of envc's is left behind."""
    folder, scratch = tmp_path / "prod", tmp_path / "scratch"
    build(folder, WANTED)
    write(plan(folder, bundle_of("prod", {}), gone=True), folder, scratch)
    assert not folder.exists()
    assert not list(scratch.iterdir())


def test_an_environment_that_is_no_more_leaves_the_files_of_others(folder: Path) -> None:
    """The folder stays for them, without an index."""
    write(plan(folder, bundle_of("prod", {}), gone=True), folder, folder.parent / "scratch")
    assert sorted(read_files(folder)) == ["README.md", "web/link", "web/notes.txt"]


def test_a_stale_index_alone_is_written_alone(folder: Path) -> None:
    """After a merge conflict in it: the files stay."""
    index = folder / ".envc-index"
    right = index.read_bytes()
    index.write_bytes(b"<<<<<<< ours\n" + right)
    before = stats(folder)
    build(folder, WANTED)
    assert index.read_bytes() == right
    assert {path for path in before if stats(folder)[path] != before[path]} == {".envc-index"}


@pytest.mark.parametrize("code", [errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP])
def test_a_file_system_without_hard_links_gets_copies(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Contents and times are kept, though inodes are not; symlinks stay symlinks."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    expected = without_index(folder) | {"web/b.yaml": b"new", "api/c.yaml": b"new"}
    time = (folder / "README.md").stat().st_mtime_ns
    monkeypatch.setattr(os, "link", refuse)
    build(folder, bundle(web__a="1", web__b="new", api__c="new"))
    assert without_index(folder) == expected
    assert (folder / "README.md").stat().st_mtime_ns == time


def test_another_build_with_the_same_result_is_taken_for_done(folder: Path) -> None:
    """The second of two builds finds nothing left to do."""
    wanted = bundle(web__a="new", api__c="new")
    planned = plan(folder, wanted)
    build(folder, wanted)
    before = stats(folder)
    write(planned, folder, folder.parent / "scratch")
    assert stats(folder) == before


def test_another_build_with_another_result_is_not_overwritten(folder: Path) -> None:
    """Whoever compiled older sources must look again."""
    planned = plan(folder, bundle(web__a="old"))
    build(folder, bundle(web__a="new", api__c="new"))
    before = read_files(folder)
    with pytest.raises(UnavailableError) as caught:
        write(planned, folder, folder.parent / "scratch")
    assert str(caught.value) == (
        f"error: another build wrote {folder} meanwhile\nhint: build again; nothing was written over its result"
    )
    assert read_files(folder) == before


def test_the_old_index_returns_when_an_application_cannot_be_swapped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old output is whole, to the last byte of the index."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = read_files(folder)
    monkeypatch.setattr("envcompile.emit.write.put_in_place", refuse)
    with pytest.raises(UnavailableError) as caught:
        build(folder, bundle(web__a="new", web__b="new", api__c="3"))
    assert str(caught.value) == (
        f"error: {folder} could not be written: Input/output error\n"
        "hint: see to the file system and build again; the old output is untouched"
    )
    assert read_files(folder) == before
    assert not list((folder.parent / "scratch").iterdir())


def test_an_application_folder_that_is_a_symlink_is_replaced_not_followed(folder: Path) -> None:
    """By `--force`: what lies behind the symlink stays as it is."""
    elsewhere = folder.parent / "elsewhere"
    (folder / "web").rename(elsewhere)
    (folder / "web").symlink_to(elsewhere)
    before = read_files(elsewhere)
    build(folder, WANTED)
    assert not (folder / "web").is_symlink()
    assert sorted(read_files(folder / "web")) == ["a.yaml", "b.yaml"]
    assert read_files(elsewhere) == before


FULL = "no space left to write {}\nhint: free some space and build again"
REFUSED = "make the folder writable for you, or write elsewhere with `--output DIR`"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, FULL),
        (errno.EDQUOT, FULL),
        (errno.EACCES, f"{{}} cannot be written: permission denied\nhint: {REFUSED}"),
        (errno.EROFS, f"{{}} cannot be written: read-only file system\nhint: {REFUSED}"),
        (errno.EIO, "{} could not be written: Input/output error\nhint: see to the file system and build again"),
    ],
)
def test_refusals_of_the_system_are_explained(code: int, expected: str, tmp_path: Path) -> None:
    """Each with what a person can do about it."""
    told = str(unavailable(OSError(code, os.strerror(code)), tmp_path))
    assert told == f"error: {expected.format(tmp_path)}; the old output is untouched"


def test_leftovers_of_killed_builds_are_swept(tmp_path: Path) -> None:
    """Staging folders and files go; whatever else is there stays."""
    (tmp_path / "staging-prod-1/web").mkdir(parents=True)
    (tmp_path / "staging-index-1").write_text("x")
    (tmp_path / "history.db").write_text("x")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["history.db"]


def test_a_symlink_inside_of_the_repository_is_followed(tmp_path: Path) -> None:
    """Also out of a project that is a part of the repository."""
    root = tmp_path / "repository/shop"
    root.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    (root / "environments").symlink_to("../deploy")
    (tmp_path / "repository/deploy").mkdir()
    assert check_folder(root / "environments/prod", root) == tmp_path / "repository/deploy/prod"


def test_symlinks_in_a_circle_are_told(tmp_path: Path) -> None:
    """Instead of a crash."""
    (tmp_path / "environments").symlink_to("environments")
    with pytest.raises(EnvcError) as caught:
        check_folder(tmp_path / "environments/prod", tmp_path)
    assert str(caught.value) == (
        "error: environments/prod runs in a circle of symlinks\nhint: replace the symlink by a folder"
    )


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of a crash."""

    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    folder = tmp_path / "environments/prod"
    monkeypatch.setattr(type(tmp_path), "is_dir", refuse)
    with pytest.raises(UnavailableError) as caught:
        check_folder(folder, tmp_path)
    assert str(caught.value) == (
        f"error: {folder} cannot be read: permission denied\n"
        "hint: make it readable for you, or write elsewhere with `--output DIR`"
    )


@pytest.mark.parametrize("folder", ["base/prod", "overlays/prod", "overlays/prod/deep/prod", "linked/prod"])
def test_output_among_the_sources_is_refused(tmp_path: Path, folder: str) -> None:
    """The next build would read it: every resource would be there twice."""
    (tmp_path / "base").mkdir()
    (tmp_path / "linked").symlink_to("base")
    with pytest.raises(EnvcError) as error:
        check_folder(tmp_path / folder, tmp_path)
    assert str(error.value) == (
        f"error: {folder.replace('linked', 'base')} is no place for output: the next build would read it as a source\n"
        "hint: name a folder outside of base/ and overlays/"
    )
    assert check_folder(tmp_path / "environments/base", tmp_path) == tmp_path / "environments/base"
