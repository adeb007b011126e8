"""A finished folder takes another one's place in one step, or in two that a crash between cannot break."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from envcompile.emit import swap
from envcompile.emit.swap import leftovers, put_in_place, recover
from tests.harness.repository import read_files, write_files

OLD = {"web/a.yaml": b"old"}
NEW = {"web/a.yaml": b"new", "web/b.yaml": b"new"}


class KilledError(BaseException):
    """Stands for `kill -9`: no handler of errors sees it."""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The folder in place."""
    return write_files(tmp_path / "environments/prod", OLD)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The folder to put there."""
    return write_files(tmp_path / "staging", NEW)


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot exchange two folders."""

    def cannot(left: Path, right: Path) -> bool:
        del left, right
        return False

    monkeypatch.setattr(swap, "_exchange", cannot)


def refuse_rename(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> None:
    """Let the rename of this number (from 1) fail."""
    rename = Path.rename
    calls = iter(range(1, 100))

    def counted(self: Path, to: Path) -> Path:
        if next(calls) == number:
            raise error
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", counted)


def test_the_folders_are_exchanged(target: Path, finished: Path) -> None:
    """The new one is in place, the old one gone."""
    put_in_place(finished, target)
    assert read_files(target) == NEW
    assert not finished.exists()


def test_a_folder_that_was_not_there_is_put_there(tmp_path: Path, finished: Path) -> None:
    """With the folders around it."""
    put_in_place(finished, tmp_path / "a/b/prod")
    assert read_files(tmp_path / "a/b/prod") == NEW


@pytest.mark.usefixtures("no_exchange")
def test_without_an_exchange_two_renames_do(target: Path, finished: Path) -> None:
    """And nothing is left aside."""
    put_in_place(finished, target)
    assert read_files(target.parent) == {f"prod/{path}": data for path, data in NEW.items()}
    assert not finished.exists()


@pytest.mark.usefixtures("no_exchange")
def test_a_refused_second_rename_brings_the_old_folder_back(
    target: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is told, the old output is whole."""
    refuse_rename(monkeypatch, 2, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left on device"):
        put_in_place(finished, target)
    assert read_files(target.parent) == {f"prod/{path}": data for path, data in OLD.items()}


@pytest.mark.usefixtures("no_exchange")
def test_a_crash_between_the_renames_is_taken_back(
    target: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next build finds the old folder aside and puts it back."""
    refuse_rename(monkeypatch, 2, KilledError())
    with pytest.raises(KilledError):
        put_in_place(finished, target)
    assert not target.exists()
    assert leftovers(target.parent) == [target]
    recover(target)
    assert read_files(target.parent) == {f"prod/{path}": data for path, data in OLD.items()}
    assert leftovers(target.parent) == []


@pytest.mark.usefixtures("no_exchange")
def test_a_crash_after_the_renames_is_cleaned_up(target: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new folder is in place; the old one aside is removed."""

    def die(*_: object, **__: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(swap, "remove_folder", die)
        with pytest.raises(KilledError):
            put_in_place(finished, target)
    assert leftovers(target.parent) == [target]
    recover(target)
    assert read_files(target.parent) == {f"prod/{path}": data for path, data in NEW.items()}


def test_leftovers_of_environments_and_applications_are_found(tmp_path: Path) -> None:
    """But not through symlinks."""
    (tmp_path / "out/.dev.envc-old").mkdir(parents=True)
    (tmp_path / "out/prod/.web.envc-old").mkdir(parents=True)
    (tmp_path / "elsewhere/.web.envc-old").mkdir(parents=True)
    (tmp_path / "out/test").symlink_to("../elsewhere")
    assert leftovers(tmp_path / "out") == [tmp_path / "out/dev", tmp_path / "out/prod/web"]
    assert leftovers(tmp_path / "nowhere") == []
