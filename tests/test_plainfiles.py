"""Files that may be lost at any time: whole or as they were, never anything but a plain file, never an error."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from envcompile.plainfiles import read_plain, write_plain

if TYPE_CHECKING:
    from pathlib import Path


def test_written(tmp_path: Path) -> None:
    """What was written is read, with the permissions asked for, and nothing is left beside it."""
    path = tmp_path / "memo"
    assert write_plain(path, (b"one", b"two"), mode=0o600)
    assert read_plain(path) == b"onetwo"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_link(tmp_path: Path) -> None:
    """A link in the place of the file is replaced; what it leads to stays as it is."""
    other = tmp_path / "somebody's"
    other.write_bytes(b"kept")
    path = tmp_path / "memo"
    path.symlink_to(other)
    assert read_plain(path) is None
    assert write_plain(path, [b"new"])
    assert (read_plain(path), read_plain(other)) == (b"new", b"kept")


@pytest.mark.parametrize("obstacle", ["link", "pipe"])
def test_planted(tmp_path: Path, obstacle: str) -> None:
    """Whatever lies where the new file is made is not written through, nor waited for."""
    path, other = tmp_path / "memo", tmp_path / "somebody's"
    path.write_bytes(b"old")
    other.write_bytes(b"kept")
    beside = tmp_path / f"memo.{os.getpid()}"
    if obstacle == "link":
        beside.symlink_to(other)
    else:
        os.mkfifo(beside)
    assert not write_plain(path, [b"new"])
    assert (read_plain(path), read_plain(other)) == (b"old", b"kept")


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is told, and no error."""
    assert not write_plain(tmp_path / "gone" / "memo", [b"new"])
