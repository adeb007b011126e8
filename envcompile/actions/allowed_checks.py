"""Which files in Python may be run: those whose bytes somebody allowed, outside of any checkout."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from envcompile.errors import Problem, UsageError
from envcompile.files import write_atomically
from envcompile.git.discovery import prefix_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

VARIABLE: Final = "ENVC_ALLOW_CHECKS"
"""The env var with digests of files that may be run: `sha256:…`, several with commas or spaces between."""
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def allowed(environ: Mapping[str, str], project: Path) -> frozenset[str]:
    """The digests of files that may be run.

    Args:
        environ: env vars: `ENVC_ALLOW_CHECKS`, and those that say where the user's settings are.
        project: the checkout; a list that lies in it does not count.

    Raises:
        UsageError: `ENVC_ALLOW_CHECKS` holds something else than digests.
    """
    words = environ.get(VARIABLE, "").replace(",", " ").split()
    for word in words:
        if not _DIGEST.fullmatch(word):
            fix = "write `sha256:` and 64 hexadecimal digits, as `sha256sum` prints them"
            raise UsageError([Problem(f"{VARIABLE} holds `{word}`, which is no digest", fix)])
    file = _file(environ)
    if file is None or _is_in(file, project):
        return frozenset(words)
    try:
        return frozenset([*words, *_DIGEST.findall(file.read_text(encoding="utf-8"))])
    except (OSError, UnicodeDecodeError):
        return frozenset(words)


def allow(environ: Mapping[str, str], project: Path, digests: Collection[str]) -> Path:
    """Note for this user that files may be run.

    Args:
        environ: env vars that say where the user's settings are.
        project: the checkout.
        digests: of the files.

    Returns:
        The file that they are noted in.

    Raises:
        UsageError: the user has no folder of settings outside of the checkout.
        UnavailableError: it cannot be written.
    """
    file = _file(environ)
    if file is None or _is_in(file, project):
        what = "there is no folder of your settings outside of the checkout, so nothing can be noted in it"
        raise UsageError([Problem(what, f"set HOME or XDG_CONFIG_HOME, or name the digests in {VARIABLE}")])
    try:
        before = _DIGEST.findall(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        before = []
    text = "".join(f"{digest}\n" for digest in dict.fromkeys([*before, *digests]))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text.encode(), shown=str(file))
    return file


def _file(environ: Mapping[str, str]) -> Path | None:
    settings, home = environ.get("XDG_CONFIG_HOME", ""), environ.get("HOME", "")
    if Path(settings).is_absolute():
        return Path(settings) / "envcompile" / "allowed-checks"
    return Path(home) / ".config" / "envcompile" / "allowed-checks" if Path(home).is_absolute() else None


def _is_in(file: Path, project: Path) -> bool:
    """Tell whether a file lies in the checkout, which may begin above the project."""
    top = project.resolve()
    for _ in PurePosixPath(prefix_of(top)).parts:
        top = top.parent
    return file.resolve().is_relative_to(top)
