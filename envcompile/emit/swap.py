"""Putting a finished folder in the place of another in one step: a crash leaves the old or the new one whole."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from envcompile.emit.folders import remove_folder

if TYPE_CHECKING:
    from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 0x00000002
_OLD = ".envc-old"


def put_in_place(finished: Path, target: Path) -> None:
    """Move a finished folder to `target`; what was there is removed afterwards.

    The exchange is one system call where the platform has one (renameat2(2) on Linux, renamex_np(2) on macOS);
    elsewhere the old folder is moved aside first, and `recover` puts it back after a crash in between.

    Raises:
        OSError: the folder cannot be moved; the old one is then in its place.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        finished.rename(target)
        return
    if _exchange(finished, target):
        remove_folder(finished)
        return
    aside = _aside(target)
    target.rename(aside)
    try:
        finished.rename(target)
    except OSError:
        aside.rename(target)
        raise
    remove_folder(aside)


def recover(target: Path) -> None:
    """Put back a folder that a crash left aside; only platforms without an atomic exchange ever need it."""
    aside = _aside(target)
    if aside.exists():
        if target.exists():
            remove_folder(aside)
        else:
            aside.rename(target)


def leftovers(output: Path) -> list[Path]:
    """The environments, and applications in them, whose old folder a crash left aside; see `recover`."""
    names = _folders_in(output)
    asides = [output / name for name in names if _is_aside(name)]
    for above in names:
        if not _is_aside(above):
            asides += [output / above / name for name in _folders_in(output / above) if _is_aside(name)]
    return [aside.with_name(aside.name.removeprefix(".").removesuffix(_OLD)) for aside in asides]


def _folders_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _is_aside(name: str) -> bool:
    return name[0] == "." and name.endswith(_OLD)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}{_OLD}")


def _exchange(left: Path, right: Path) -> bool:
    """Swap two folders in one step; False where the platform or the file system cannot."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        call = getattr(libc, "renameat2", None)
        arguments: tuple[object, ...] = (
            _AT_FDCWD,
            os.fsencode(left),
            _AT_FDCWD,
            os.fsencode(right),
            ctypes.c_uint(_RENAME_EXCHANGE),
        )
    else:
        call = getattr(libc, "renamex_np", None)
        arguments = (os.fsencode(left), os.fsencode(right), ctypes.c_uint(_RENAME_SWAP))
    if call is None:
        return False
    if call(*arguments) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
        return False
    raise OSError(code, os.strerror(code), str(right))
