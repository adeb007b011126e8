"""What a reference may read: a repository says which values it wants, and a person says how far that goes.

References come with a checkout, and a value that is sealed can be read by whoever holds the key of the certificate in
that checkout. So a reference reaches no file outside of the project and, where nobody looks at what is sealed (CI), no
env var, unless an env var of the person says so.
"""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.secrets.errors import OriginError

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOW_ENV = "ENVC_ALLOW_ENV"
"""In CI, the env vars that `ref+env://` may read: names or globs, separated by commas or blanks."""
ALLOW_FILES = "ENVC_ALLOW_FILES"
"""Folders outside of the project that `ref+file://` and `ref+sops://` may read, separated as PATH is."""
LARGEST_FILE = 16_000_000
_CLOSED = frozenset({".git", ".envc"})
"""Folders whose files are never a source: git's own, with the credentials of a checkout in CI, and envc's."""


def refuse_env(name: str, environ: Mapping[str, str]) -> None:
    """Refuse an env var that a CI job does not give away.

    Raises:
        OriginError: when this is CI and `ENVC_ALLOW_ENV` does not name it.
    """
    if environ.get("CI", "").lower() in {"", "0", "false", "no"}:
        return
    allowed = environ.get(ALLOW_ENV, "").replace(",", " ").split()
    if not any(fnmatchcase(name, glob) for glob in allowed):
        raise OriginError(
            f"the env var `{name}` is not one that this CI job lets references read",
            f"if it is meant, name it in the job's own settings: `{ALLOW_ENV}: {name}`",
        )


def read_bounded(root: Path, named: str, environ: Mapping[str, str]) -> tuple[Path, bytes]:
    """The file that a reference names, with its place when every link is followed.

    Raises:
        OriginError: when it is outside of what may be read, no ordinary file, too large, or cannot be read.
    """
    path = root / named
    try:
        place = path.resolve()
        project = root.resolve()
        _refuse_place(path, place, project, named, environ)
        # Without waiting for the other end of a named pipe.
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise OriginError(f"`{named}` is no ordinary file", "name a file")
            data = opened.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise OriginError(
            f"the file `{named}` does not exist", "create it, or correct the reference", absent=True
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its path is none"
        raise OriginError(f"the file `{named}` cannot be read ({reason})", "see to its permissions") from None
    if len(data) > LARGEST_FILE:
        raise OriginError(f"the file `{named}` has more than {LARGEST_FILE:,} bytes", "a Secret ends at 1 MiB")
    return place, data


def _refuse_place(path: Path, place: Path, project: Path, named: str, environ: Mapping[str, str]) -> None:
    if place.is_relative_to(project):
        parts = {*place.relative_to(project).parts, *Path(named).parts}
        if closed := sorted(parts & _CLOSED):
            raise OriginError(f"`{named}` is below `{closed[0]}`, which no reference reads", "keep values elsewhere")
        return
    folders = [Path(text).resolve() for text in environ.get(ALLOW_FILES, "").split(os.pathsep) if text]
    if any(place.is_relative_to(folder) for folder in folders):
        return
    through = "leads" if path.is_symlink() or not {"..", "/"} & set(Path(named).parts) else "is"
    raise OriginError(
        f"the file `{named}` {through} outside of the project",
        f"keep it inside, in a file that git ignores; or name its folder in {ALLOW_FILES}, if you want it read",
    )
