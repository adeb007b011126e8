"""One process at a time, and files that are whole: the old one or the new one, whatever the disk or a signal does."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.errors import EnvcError, UnavailableError
from envcompile.files import (
    SCRATCH,
    lock,
    read_below,
    replaced,
    sweep,
    unwritable,
    write_atomically,
    write_below,
    write_output,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = ("open", "fsync", "replace")
"""Where a write may fail: making the file, bringing it to the disk, giving it its name."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that somebody wants to keep."""
    path = tmp_path / "kept.yaml"
    path.write_bytes(b"old\n")
    return path


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files as well."""
    return sorted(path.name for path in folder.iterdir())


def refuse(monkeypatch: pytest.MonkeyPatch, step: str, code: int) -> None:
    """Let the operating system refuse one step of a write."""

    def refused(*arguments: Any, **_: Any) -> Any:
        raise OSError(code, os.strerror(code), str(arguments[0]))

    if step == "open":
        real = os.open
        monkeypatch.setattr(
            os, "open", lambda path, flags, *rest: refused(path) if flags & os.O_CREAT else real(path, flags, *rest)
        )
    elif step == "replace":
        monkeypatch.setattr(Path, "replace", refused)
    else:
        monkeypatch.setattr(os, "fsync", refused)


def test_a_file_is_replaced_and_keeps_its_permissions(file: Path) -> None:
    """Nothing is left beside it."""
    file.chmod(0o640)
    write_atomically(file, b"new\n")
    assert file.read_bytes() == b"new\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert names(file.parent) == ["kept.yaml"]
    write_atomically(file, b"#!/bin/sh\n", mode=0o755)
    assert file.stat().st_mode & 0o777 == 0o755


def test_a_new_file_has_the_permissions_of_the_users_umask(tmp_path: Path) -> None:
    """As if it had been written by an editor."""
    program = "import os, pathlib, sys; os.umask(0o027); from envcompile.files import write_atomically as w; "
    subprocess.run([sys.executable, "-c", f"{program}w(pathlib.Path(sys.argv[1]), b'x')", tmp_path / "a"], check=True)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("code", "what", "fix"),
    [
        (errno.ENOSPC, "no space left to write {}", "free some space"),
        (errno.EDQUOT, "no space left to write {}", "free some space"),
        (errno.EFBIG, "{} cannot be written: file too large", "raise the limit of file sizes (`ulimit -f`)"),
        (errno.EROFS, "{} cannot be written: read-only file system", "make it and its folder writable for you"),
        (errno.EIO, "{} cannot be written: input/output error", "see to the file system"),
    ],
)
def test_what_the_disk_refuses_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int, what: str, fix: str
) -> None:
    """Case disk-full-answers: the file, the reason and the mend are told; exit 4; no half file beside it."""
    refuse(monkeypatch, step, code)
    with pytest.raises(UnavailableError) as raised:
        write_atomically(file, b"new\n")
    assert str(raised.value) == f"error: {what.format(file)}\nhint: {fix}, then try again; the file is as it was"
    assert raised.value.exit_code == 4
    monkeypatch.undo()
    assert file.read_bytes() == b"old\n"
    assert names(file.parent) == ["kept.yaml"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_of_the_writer_leaves_the_old_file(file: Path, error: type[BaseException]) -> None:
    """An interrupt in the middle of a long export, too."""

    def write() -> None:
        with replaced(file) as opened:
            opened.write(b"half of")
            raise error

    with pytest.raises(error):
        write()
    assert file.read_bytes() == b"old\n"
    assert names(file.parent) == ["kept.yaml"]


def test_nothing_is_written_through_a_symlink(file: Path, tmp_path: Path) -> None:
    """A checkout that holds a symlink to a file of the user's cannot change that file."""
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    write_atomically(link, b"new\n")
    assert file.read_bytes() == b"old\n"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new\n"


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "envc").mkdir()
    with pytest.raises(UnavailableError, match=r"envc cannot be written: is a directory"):
        write_atomically(tmp_path / "envc", b"")
    assert names(tmp_path) == ["envc"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """With the name of the file, as messages call it."""
    with pytest.raises(UnavailableError, match=r"^error: x/y cannot be written: no such file or directory"):
        write_atomically(tmp_path / "x" / "y", b"", shown="x/y")


def test_an_output_follows_the_symlink_that_its_user_named(file: Path, tmp_path: Path) -> None:
    """`--output report.md`, where report.md leads elsewhere: the file there is replaced, in one step."""
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    before = file.stat().st_ino
    write_output(link, b"new\n", tmp_path)
    assert link.is_symlink()
    assert file.read_bytes() == b"new\n"
    assert file.stat().st_ino != before


def test_an_output_may_be_a_pipe(tmp_path: Path) -> None:
    """`--output /dev/stdout` and `>(program)` are written to and not replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write_output(pipe, b"text", tmp_path)
    reader.join()
    assert found == [b"text"]
    assert pipe.is_fifo()


def test_an_output_that_takes_nothing_is_told() -> None:
    """A device that is full stays a device."""
    with pytest.raises(UnavailableError, match="no space left to write /dev/full"):
        write_output(Path("/dev/full"), b"text", Path("/"))
    assert Path("/dev/full").is_char_device()


def test_what_killed_writes_left_is_swept(file: Path) -> None:
    """Once they are old, or at once under a lock; nothing else."""
    for name in (f".kept.yaml{SCRATCH}1-a", f".other{SCRATCH}1-a", ".hidden", "kept.tmp-1"):
        (file.parent / name).write_bytes(b"half")
    sweep(file.parent)
    assert len(names(file.parent)) == 5
    os.utime(file.parent / f".other{SCRATCH}1-a", (0, 0))
    sweep(file.parent)
    assert names(file.parent) == [".hidden", f".kept.yaml{SCRATCH}1-a", "kept.tmp-1", "kept.yaml"]
    sweep(file.parent, "kept.yaml", age=0)
    assert names(file.parent) == [".hidden", "kept.tmp-1", "kept.yaml"]


def test_a_reason_without_words_is_told() -> None:
    """Some errors have no number."""
    assert "x cannot be written: strange" in str(unwritable("x", OSError("strange")))


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock `held` until its stdin is closed."""
    program = (
        "import pathlib, sys; from envcompile.files import lock\n"
        "with lock(pathlib.Path(sys.argv[1])):\n print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "held"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        if process.poll() is None:
            process.communicate()


def test_a_lock_waits_and_says_so(holder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """Once; then it has the lock, and says nothing when nobody else holds it."""
    said = []

    def waiting() -> None:
        said.append("waiting")
        assert holder.stdin is not None
        holder.stdin.close()

    with lock(tmp_path / "held", waiting):
        assert holder.wait() == 0
    with lock(tmp_path / "held", waiting):
        pass
    assert said == ["waiting"]


def test_whoever_does_not_want_to_wait_raises(holder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """What it raised arrives, and the other one goes on."""

    def refused() -> None:
        raise UnavailableError([])

    with pytest.raises(UnavailableError), lock(tmp_path / "held", refused):
        pytest.fail("the lock was taken twice")
    assert holder.poll() is None


def test_a_lock_ends_with_its_process(holder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """However it ends."""
    holder.kill()
    holder.wait()
    with lock(tmp_path / "held", lambda: pytest.fail("it waits")):
        assert (tmp_path / "held").exists()


def test_a_folder_can_be_the_lock(tmp_path: Path) -> None:
    """Nothing is made in it."""
    with lock(tmp_path):
        assert names(tmp_path) == []


def test_where_there_can_be_no_lock_nobody_waits(tmp_path: Path) -> None:
    """A file stands where the lock's folder belongs; what the body raises is its own."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyError), lock(tmp_path / "file" / "held"):
        raise KeyError
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with lock(tmp_path / "link"):
        assert not (tmp_path / "elsewhere").exists()


def test_permissions_are_kept_whatever_the_umask_is(file: Path) -> None:
    """What a team may write stays so; a file in the place of a link has none of what that led to."""
    file.chmod(0o666)
    write_atomically(file, b"new\n")
    assert file.stat().st_mode & 0o777 == 0o666
    link = file.with_name("link")
    file.chmod(0o700)
    link.symlink_to(file)
    write_atomically(link, b"own\n")
    mask = os.umask(0)
    os.umask(mask)
    assert (link.is_symlink(), link.stat().st_mode & 0o777) == (False, 0o666 & ~mask)


def test_a_link_that_somebody_planted_for_a_write_is_not_followed(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell the temporary file's name before, and one that is there is not opened."""
    made: list[str] = []
    real = os.open

    def noted(path: Any, flags: int, *rest: Any) -> int:
        if flags & os.O_CREAT:
            made.append(str(path))
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", noted)
    for _ in range(2):
        write_atomically(file, b"new\n")
    assert len({*made}) == 2
    monkeypatch.setattr(os, "urandom", bytes)
    write_atomically(file, b"new\n")
    outside = tmp_path / "outside"
    Path(made[-1]).symlink_to(outside)
    with pytest.raises(UnavailableError):
        write_atomically(file, b"stolen\n")
    assert (file.read_bytes(), outside.exists()) == (b"new\n", False)


def test_a_leftover_is_as_old_as_itself(file: Path) -> None:
    """Not as what it leads to."""
    os.utime(file, (0, 0))
    link = file.with_name(f".kept.yaml{SCRATCH}1")
    link.symlink_to(file)
    sweep(file.parent)
    assert link.is_symlink()


def test_nothing_is_written_or_read_below_a_folder_that_leads_out(tmp_path: Path) -> None:
    """The door itself looks, whatever its callers have looked at before."""
    root, outside = tmp_path / "shop", tmp_path / "outside"
    for folder in (root / ".git", outside):
        folder.mkdir(parents=True)
    (outside / "x").write_text("precious")
    (root / "linked").symlink_to(outside)
    (root / "file").symlink_to(outside / "x")
    with pytest.raises(EnvcError, match="leads out of the repository"):
        write_below(root, "linked/x", b"new")
    for name in ("linked/x", "file"):
        with pytest.raises(EnvcError, match="leads out of the repository"):
            read_below(root, name)
    assert (outside / "x").read_text() == "precious"
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(EnvcError, match=f"{name} is no file"):
            read_below(root, name)
    write_below(root, "file", b"own")
    assert ((root / "file").is_symlink(), (outside / "x").read_text()) == (False, "precious")
