"""Removing a folder removes what is in it, and nothing that it only leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit.folders import remove_folder
from tests.harness.repository import read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    """Symlinks in it, too, but not what they lead to."""
    write_files(tmp_path, {"out/a/b.yaml": "1", "out/to": "-> ../kept", "out/none": "-> nowhere", "kept/c": "2"})
    remove_folder(tmp_path / "out")
    assert read_files(tmp_path) == {"kept/c": b"2"}
    assert not (tmp_path / "out").exists()


def test_of_a_symlink_only_the_symlink_goes(tmp_path: Path) -> None:
    """Its folder belongs to somebody else."""
    write_files(tmp_path, {"kept/c": "2", "link": "-> kept"})
    remove_folder(tmp_path / "link")
    assert read_files(tmp_path) == {"kept/c": b"2"}


def test_what_is_not_there_is_fine(tmp_path: Path) -> None:
    """Neither a missing folder nor a file is an error."""
    (tmp_path / "file").write_text("x")
    remove_folder(tmp_path / "nowhere")
    remove_folder(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "x"
