"""The folder `.envc` of a project: envc's own, or refused. What a branch holds is never taken for what envc kept."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from envcompile.errors import Problem, UsageError
from envcompile.git.run import Place, run

if TYPE_CHECKING:
    from pathlib import Path


def require_own(folder: Path) -> None:
    """Refuse a folder that is not envc's own; one that is not there yet will be.

    It is a real folder of this user, or of whoever owns the project; git tracks nothing in it; and nothing in it leads
    elsewhere, or is a pipe or a device.

    Args:
        folder: `.envc` of a project, or of a bare repository.

    Raises:
        UsageError: it is none of envc's.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    except NotADirectoryError:
        return  # whoever writes into it says what is wrong
    if stat.S_ISREG(found.st_mode):
        return  # nothing can be in it
    if not stat.S_ISDIR(found.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "a pipe or a device"
        raise UsageError([Problem(f"{folder} is {what}", f"remove it, envc makes a folder there: rm {folder}")])
    if found.st_uid not in {os.geteuid(), folder.parent.lstat().st_uid}:
        what = f"{folder} belongs to another user"
        raise UsageError([Problem(what, f"remove it, or make it yours: chown -R $(id -u) {folder}")])
    with os.scandir(folder) as entries:
        strange = sorted(
            entry.path
            for entry in entries
            if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
        )
    if strange:
        raise UsageError([Problem(f"{path} is no file and no folder", f"remove it: rm {path}") for path in strange])
    tracked = _tracked(folder)
    if tracked:
        what = f"git tracks {tracked}: {folder.name}/ is what envc keeps on one machine, and a branch may not bring it"
        raise UsageError([Problem(what, f"take it out of the branch, and delete it: git rm -r -f {folder.name}")])


def make_own(folder: Path) -> None:
    """Make the folder where it is missing, and let git pass over it: nobody is to commit it by accident.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(folder / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("*\n")


def _tracked(folder: Path) -> str:
    """A file of the folder that the work tree around it tracks, however its name is spelled; empty where none is."""
    if not _may_be_tracked(folder):
        return ""
    with os.scandir(folder.parent) as entries:
        names = [entry.name for entry in entries if entry.name.lower() == folder.name.lower()]
    done = run(Place(folder.parent), "ls-files", "-z", "--", *(names or [folder.name]))
    return done.stdout.split(b"\0")[0].decode("utf-8", "replace") if done.returncode == 0 else ""


def _may_be_tracked(folder: Path) -> bool:
    """Tell whether the index around a folder may name it: git need not be started when the name is nowhere in there.

    Only a format that writes every path out can tell so, which is what git writes unless it is asked for another one
    (gitformat-index(5): versions 2 and 3, without a shared index and without folders in the place of their files).
    Names are sorted in it, so that those before the folder's are enough where they are few.
    """
    real = folder.parent.resolve()
    for around in (real, *real.parents):
        marker = around / ".git"
        try:
            if marker.is_file():
                marker = around / os.fsdecode(marker.read_bytes().removeprefix(b"gitdir:").strip())
            elif not marker.is_dir():
                continue
            if not (marker / "HEAD").exists():
                return True
            above = os.fsencode(real.relative_to(around).as_posix()) + b"/" if real != around else b""
            is_split = any(marker.glob("sharedindex.*"))
            with (marker / "index").open("rb") as index:
                said = None if is_split else _is_among_first(index.read(_FIRST), above, os.fsencode(folder.name), real)
                return _is_anywhere(index, os.fsencode(folder.name)) if said is None else said
        except OSError:
            return True
    return False


_FIRST: Final = 1 << 18
"""Bytes of an index that are looked at one name after the other: some two thousand names."""
_FIXED: Final = 42
"""Bytes of an entry before its name, without those of the object's name: ten numbers and the flags."""
_EXTENDED: Final = 0x4000
"""The flag of an entry that has two bytes more."""
_PLAIN: Final = (b"DIRC\0\0\0\x02", b"DIRC\0\0\0\x03")


def _is_among_first(data: bytes, above: bytes, name: bytes, root: Path) -> bool | None:
    """Tell whether the first entries of an index name a folder, spelled in whatever case; None where they do not tell.

    Args:
        data: the beginning of the index.
        above: the folder that it is in, with a slash at the end; empty for the top folder.
        name: the folder's.
        root: a folder in the repository.
    """
    from envcompile.git.blob import id_digits

    if data[:8] not in _PLAIN:
        return None
    fixed = _FIXED + id_digits(root) // 2
    last = above + name.lower() + b"0"  # what follows the slash
    at, count = 12, int.from_bytes(data[8:12], "big")
    for _ in range(count):
        flags = int.from_bytes(data[at + fixed - 2 : at + fixed], "big")
        start = at + fixed + (2 if flags & _EXTENDED else 0)
        end = data.find(b"\0", start)
        if end < 0:
            return None  # the names before it are many
        path = data[start:end]
        if path.endswith(b"/"):
            return None  # a folder in the place of its files
        if path >= last:
            return False
        if path.startswith(above) and (path[len(above) :] + b"/").lower().startswith(name.lower() + b"/"):
            return True
        at += (end - at + 8) & ~7
    return False


def _is_anywhere(index: BinaryIO, name: bytes) -> bool:
    """Tell whether an index may name a folder anywhere; true for one that does not write every path out."""
    index.seek(0)
    data = index.read()
    name, paths = name.lower(), data.lower()
    return data[:8] not in _PLAIN or any(text in paths for text in (b"link\0", b"sdir\0", name + b"/", name + b"\0"))
