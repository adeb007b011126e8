"""The index says which files are envc's; whatever else is in it counts for nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from envcompile.emit.index import announce, digest, parse_index, render_index

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = digest(b"1"), digest(b"2")


def test_an_index_reads_as_it_was_written() -> None:
    """Sorted by path, one line a file, below a line for people."""
    data = render_index({"web/b.yaml": TWO, "api/a.yaml": ONE})
    assert data.decode() == (
        "# files that envc wrote here, with their SHA-256; written by `envc build`, do not edit\n"
        f"{ONE}  api/a.yaml\n{TWO}  web/b.yaml\n"
    )
    assert parse_index(data) == {"api/a.yaml": (ONE,), "web/b.yaml": (TWO,)}


def test_sha256sum_reads_it(tmp_path: Path) -> None:
    """People can check an environment without envc."""
    (tmp_path / "a.yaml").write_bytes(b"1")
    (tmp_path / ".envc-index").write_bytes(render_index({"a.yaml": ONE}))
    done = subprocess.run(["sha256sum", "--check", ".envc-index"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"a.yaml: OK\n")


def test_both_sides_of_a_merge_conflict_count() -> None:
    """A conflict's marks are passed over; a file that both sides list may be either's."""
    data = f"# x\n<<<<<<< ours\n{ONE}  a.yaml\n=======\n{TWO}  a.yaml\n{TWO}  b.yaml\n>>>>>>> theirs\n".encode()
    assert parse_index(data) == {"a.yaml": (ONE, TWO), "b.yaml": (TWO,)}


def test_paths_out_of_the_folder_are_no_files_of_envc() -> None:
    """An index cannot make envc remove what lies elsewhere."""
    paths = ["../x.yaml", "web/../../x.yaml", "/etc/passwd", "..", ""]
    assert parse_index("".join(f"{ONE}  {path}\n" for path in paths).encode()) == {}


def test_damage_is_passed_over() -> None:
    """Short digests, binary rubbish, Windows line ends."""
    assert parse_index(b"\xff\xfe\x00\n" + f"{ONE[:-1]}  a.yaml\r\n{ONE}  b.yaml\r\n{ONE} c.yaml\n".encode()) == {
        "b.yaml": (ONE,)
    }


def test_the_index_between_two_states_lists_both() -> None:
    """What a crash leaves belongs to envc, be it old or new."""
    between = announce(render_index({"a.yaml": ONE}), {"a.yaml": TWO, "b.yaml": TWO}, ["a.yaml", "gone.yaml"])
    assert parse_index(between) == {"a.yaml": (ONE, TWO)}
    assert parse_index(announce(None, {"a.yaml": ONE}, ["a.yaml"])) == {"a.yaml": (ONE,)}
