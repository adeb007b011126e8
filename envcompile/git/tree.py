"""What a tree of files is to whoever reads one: names, bytes, links that stay inside, and what counts as a source."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, NamedTuple, Protocol

from envcompile.errors import fail
from envcompile.model import Location

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.errors import EnvcError
    from envcompile.limits import Limits


class FileEntry(NamedTuple):
    """A file of a tree."""

    path: str
    """Relative to the project's root, with forward slashes."""
    blob: str = ""
    """The git id of the content (a digest of it); empty for files of a folder, whose content git was not asked for."""


class Tree(Protocol):
    """Files below a project's root; paths are relative to it, with forward slashes."""

    @property
    def root(self) -> Path | None:
        """The folder on disk that the files lie in; None when they come from a commit or an index."""
        ...

    @property
    def limits(self) -> Limits:
        """What the files may take of the machine; `limits` of envc.yaml counts once that is read."""
        ...

    def bound(self, limits: Limits) -> None:
        """Let these limits hold from now on."""
        ...

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path; none when the folder does not exist."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        ...

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        ...

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        ...


def is_ignored(name: str) -> bool:
    """Tell whether a name belongs to an editor or to the system: `.hidden`, `x~`, `x.swp`, `#x#`."""
    return name[0] in ".#" or name[-1] == "~" or name.endswith((".swp", ".swo"))


def file_start(path: str) -> Location:
    """The place that stands for a whole file."""
    return Location(path, 1, 1)


def join(folder: str, path: str) -> str | None:
    """A relative path seen from a folder of the tree; None when it leaves the root or is absolute."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    return None if joined == ".." or joined.startswith(("../", "/")) else joined


def is_hidden(path: str) -> bool:
    """Tell whether a name on the way to a file begins with a dot: of such names no source is read."""
    return any(part.startswith(".") and part not in {".", ".."} for part in path.split("/"))


def hidden_part(root: Path, real: str) -> str:
    """The part of a real path that begins with a dot, of those that it does not share with the project's root."""
    common = os.path.commonpath([str(root), real])
    below = os.path.relpath(real, common).replace(os.sep, "/")
    return next((part for part in below.split("/") if part.startswith(".") and part not in {".", ".."}), "")


def hidden(path: str, why: str, fix: str = "copy it to another name") -> EnvcError:
    """The error of a file that a build does not read, because no commit of the project is to hold it."""
    what = f"`{path}` {why}, so that no commit holds it"
    return fail(what, f"a build reads only what can be committed: {fix}", file_start(path))


def link_to_hidden(path: str, target: str) -> EnvcError:
    """The error of a symlink below a name that begins with a dot."""
    what = f"the symlink `{path}` leads below a name that begins with a dot: it points to `{target}`"
    return fail(what, "copy the files: a build reads only what commits of the project hold", file_start(path))


def link_to_nothing(path: str, target: str) -> EnvcError:
    """The error of a broken symlink."""
    what = f"the symlink `{path}` points to `{target}`, which does not exist"
    return fail(what, "point it to an existing file of the repository, or remove it", file_start(path))


def leads_out(path: str, target: str | None) -> EnvcError:
    """The error of a path outside of the repository; `target` is what the path says when it is a symlink itself."""
    what = f"`{path}` leads out of the repository"
    if target is not None:
        what = f"the symlink `{path}` leaves the repository: it points to `{target}`"
    return fail(what, "copy the files into the repository: a build reads nothing outside of it", file_start(path))


def link_in_circle(path: str, target: str) -> EnvcError:
    """The error of a symlink that leads back to a folder around itself."""
    what = f"the symlink `{path}` runs in a circle: it points to `{target}`"
    return fail(what, "remove the symlink", file_start(path))
