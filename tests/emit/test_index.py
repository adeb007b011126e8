"""The index says which files are envc's; whatever else is in it counts for nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from envcompile.emit.index import digest, has_digests, is_readable, parse_index, render_digests, render_names

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = digest(b"1"), digest(b"2")


def test_an_index_reads_as_it_was_written() -> None:
    """Sorted by path, one line a file, below a line for people."""
    data = render_digests({"web/b.yaml": TWO, "api/a.yaml": ONE})
    assert data.decode() == (
        "# files that envc wrote here, with their SHA-256; written by `envc build`, do not edit\n"
        f"{ONE}  api/a.yaml\n{TWO}  web/b.yaml\n"
    )
    assert parse_index(data) == {"api/a.yaml": (ONE,), "web/b.yaml": (TWO,)}


def test_sha256sum_reads_it(tmp_path: Path) -> None:
    """People can check an environment without envc."""
    (tmp_path / "a.yaml").write_bytes(b"1")
    (tmp_path / ".envc-index").write_bytes(render_digests({"a.yaml": ONE}))
    done = subprocess.run(["sha256sum", "--check", ".envc-index"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"a.yaml: OK\n")


def test_both_sides_of_a_merge_conflict_count() -> None:
    """A conflict's marks are passed over; a file that both sides list may be either's."""
    data = f"# x\n<<<<<<< ours\n{ONE}  a.yaml\n=======\n{TWO}  a.yaml\n{TWO}  b.yaml\n>>>>>>> theirs\n".encode()
    assert parse_index(data) == {"a.yaml": (ONE, TWO), "b.yaml": (TWO,)}


def test_an_index_of_names_reads_as_it_was_written() -> None:
    """Old digests and the fixed lines are no names; what the paths hold does not matter."""
    names = ["web/b.yaml", "api/a.yaml", "web/#c.yaml", "a b.yaml", "caf\u00e9/x\u2028y.yaml", "w\udcff.yaml"]
    data = render_names(names)
    assert parse_index(data) == dict.fromkeys(names, ())
    assert is_readable(data)
    assert not has_digests(data)
    assert data == render_names(reversed(names))


def test_a_line_break_cannot_be_written_into_an_index() -> None:
    """Case chart-file-names: it would be taken for two files."""
    with pytest.raises(ValueError, match="line break"):
        render_names(["a\nb.yaml"])


def test_two_names_have_a_line_between_them() -> None:
    """Case merge-conflicts-in-envc-index: what two branches add is never one gap to git, but for one time in 256."""
    lines = render_names(["api/deployment-api.yaml", "job/deployment-job.yaml"]).decode().splitlines()
    first, second = sorted(lines.index(f"{name}/deployment-{name}.yaml") for name in ("api", "job"))
    assert second - first > 1


def test_an_index_without_conflict_is_readable() -> None:
    """In any order; marks of a conflict and older forms are not."""
    data = render_names(["a.yaml", "b.yaml"])
    assert is_readable(data + b"c.yaml\na.yaml\n")
    assert not is_readable(data + b"<<<<<<< HEAD\n")
    assert not is_readable(b"")
    old = render_digests({"a.yaml": ONE})
    assert has_digests(old)
    assert not is_readable(old)
    assert not has_digests(old + b"<<<<<<< HEAD\n")


def test_paths_out_of_the_folder_are_no_files_of_envc() -> None:
    """An index cannot make envc remove what lies elsewhere, nor itself."""
    paths = ["../x.yaml", "web/../../x.yaml", "/etc/passwd", "..", "", ".envc-index"]
    assert parse_index("".join(f"{ONE}  {path}\n" for path in paths).encode()) == {}
    assert parse_index("".join(f"{path}\n" for path in paths).encode()) == {}


def test_damage_is_passed_over() -> None:
    """Windows line ends, and bytes that are no text."""
    assert parse_index(f"{ONE}  a.yaml\r\n{ONE}  b.yaml\r\nc.yaml\r\n".encode() + b"\xff\n\0\n") == {
        "a.yaml": (ONE,),
        "b.yaml": (ONE,),
        "c.yaml": (),
        "\udcff": (),
    }
