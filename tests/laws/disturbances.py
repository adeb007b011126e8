"""What happens to a working copy beside edits: times, other commits, outputs edited by hand, damaged memos, kills."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.harness.command import PACKAGE_ROOT
from tests.harness.repository import LINK
from tests.laws.workshop import OUTPUT

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from tests.laws.workshop import Workshop

WRITTEN: Final = "written"
"""The folder of the memo with the records of what builds wrote."""
MEMO: Final = ".envc"
_DIGIT: Final = re.compile(r"(?<![A-Za-z])\d")
_KILLED: Final = 99
_KILLED_BUILD: Final = f"""
import os, sys
changes, left = {{"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"}}, [int(sys.argv[1])]
def watch(event, arguments):
    if event in changes or event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        left[0] -= 1
        if not left[0]:
            os._exit({_KILLED})
from envcompile.cli import main
sys.addaudithook(watch)
sys.exit(main(sys.argv[2:]))
"""
"""A build that ends without a farewell at its n-th change of a file or folder."""


def touch(chance: Random, shop: Workshop) -> str:
    """A file gets a new time and keeps its content."""
    path = chance.choice(sorted(shop.files))
    shop.tick(shop.root / path)
    return f"{path} is touched"


def same_size_same_time(chance: Random, shop: Workshop) -> str:
    """A digit of a source becomes another one in place, and the file's time is put back (case same-size-same-time)."""
    choice = sorted(
        path
        for path, text in shop.files.items()
        if path.startswith(("base/", "overlays/", "lib/", "crds/"))
        and not path.endswith("sealed.yaml")
        and not text.startswith(LINK)
        and _DIGIT.search(text)
    )
    path = chance.choice(choice)
    target, text = shop.root / path, shop.files[path]
    place = chance.choice([match.start() for match in _DIGIT.finditer(text)])
    new = f"{text[:place]}{(int(text[place]) + chance.randrange(1, 9)) % 10}{text[place + 1 :]}"
    _rewrite_in_place(target, new.encode())
    shop.files[path] = new
    return f"{path} is rewritten with the same size and time: `{text[place]}` is `{new[place]}`"


def _rewrite_in_place(target: Path, data: bytes) -> None:
    status = target.stat()
    with target.open("r+b") as file:
        file.write(data)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def edit_output(chance: Random, shop: Workshop) -> str:
    """Compiled files are edited or removed by hand, with their index or without."""
    folder = shop.root / OUTPUT
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    written = [name for name in names if "/" in name and not name.endswith(".envc-index")]
    if not written:
        return "there is no output to edit"
    path = chance.choice(written)
    env = path.partition("/")[0]
    how = chance.choice(["line", "same size", "removed", "folder", "environment", "index"])
    if how == "line":
        (folder / path).write_bytes((folder / path).read_bytes() + b"# by hand\n")
    elif how == "same size":
        data = (folder / path).read_bytes()
        _rewrite_in_place(folder / path, data[:-2] + (b"7\n" if data[-2:] != b"7\n" else b"8\n"))
    elif how == "removed":
        (folder / path).unlink()
    elif how == "folder":
        shutil.rmtree((folder / path).parent)
    elif how == "environment":
        shutil.rmtree(folder / env)
    else:
        (folder / env / ".envc-index").unlink(missing_ok=True)
    return f"{OUTPUT}/{path} is edited by hand ({how})"


def forget(root: Path) -> None:
    """Remove what a build remembers, but not the record of what builds wrote: that is no memo, it guards hand edits."""
    for path in (root / MEMO).glob("*"):
        if path.name == WRITTEN:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def damage_memo(chance: Random, root: Path) -> str:
    """The memo is removed, cut short or garbled, all of it or some files."""
    folder = root / MEMO
    if not folder.exists():
        return "there is no memo to damage"
    how = chance.choice(["removed", "half removed", "cut", "garbled"])
    if how == "removed":
        shutil.rmtree(folder)
        return "the memo is removed"
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".db"):
        if chance.random() < 0.5:
            continue
        data = path.read_bytes()
        if how == "half removed":
            path.unlink()
        elif how == "cut":
            path.write_bytes(data[: len(data) // 2])
        elif data:
            place = chance.randrange(len(data))
            path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
    return f"the memo is {how}"


def kill_build(root: Path, at: int) -> bool:
    """Build in a process of its own that ends at its n-th change of a file or folder, as `kill -9` would end it.

    Returns:
        True when it was ended, False when the build was over before.
    """
    command = [sys.executable, "-c", _KILLED_BUILD, str(at), "--project", str(root), "build"]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=env, capture_output=True, check=False).returncode == _KILLED
