"""Files that may be lost at any time: whole or as they were, never anything but a plain file, never an error."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from envcompile.plainfiles import read_plain, write_plain

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_written_is_read_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "memo"
    assert write_plain(path, (b"one", b"two"), mode=0o600)
    assert read_plain(path) == b"onetwo"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_the_place_of_the_file_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    other = tmp_path / "somebody's"
    other.write_bytes(b"kept")
    path = tmp_path / "memo"
    path.symlink_to(other)
    assert read_plain(path) is None
    assert write_plain(path, [b"new"])
    assert (read_plain(path), read_plain(other)) == (b"new", b"kept")


@pytest.mark.parametrize("obstacle", ["link", "pipe"])
def test_whatever_lies_where_the_new_file_is_made_is_not_written_through(tmp_path: Path, obstacle: str) -> None:
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


def test_a_folder_that_is_not_there_is_told_and_no_error(tmp_path: Path) -> None:
    assert not write_plain(tmp_path / "gone" / "memo", [b"new"])
