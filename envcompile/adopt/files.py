"""Writing a new repository: only files that do not exist yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import Problem, UnavailableError, fail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IGNORED = ".envc/"
"""The cache and the history database: what git must not see."""

_SHOWN = 10


def refuse_sources(target: Path) -> None:
    """Refuse a target in which base/ or overlays/ hold files already: the build would read them, too.

    Raises:
        EnvcError: naming what is there.
    """
    present = [target / "envc.yaml"] if (target / "envc.yaml").exists() else []
    for folder in ("base", "overlays"):
        if (target / folder).is_dir():
            present += sorted(path for path in (target / folder).rglob("*") if path.is_file())
        elif (target / folder).exists():
            present.append(target / folder)
    if present:
        raise fail(
            f"`{target}` is not empty where the new repository belongs: {_listed(present, target)}",
            "name another folder, `envc init NEWDIR …`, and move its contents when you are content with them",
        )


def write_new(target: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files that must not exist yet, and see to it that git ignores the cache.

    Gives the paths written.

    Raises:
        EnvcError: some of them exist; nothing is written then.
        UnavailableError: the folder cannot be written.
    """
    present = [target / path for path in files if (target / path).exists() or (target / path).is_symlink()]
    if present:
        raise fail(
            f"these files exist already, and `envc init` never overwrites: {_listed(present, target)}",
            "name another folder, `envc init NEWDIR`, or move them away",
        )
    try:
        written = []
        for path, data in files.items():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as stream:
                stream.write(data)
            written.append(file)
        ignore = _ignore_cache(target)
    except OSError as error:
        what = f"cannot write below `{target}`: {(error.strerror or 'unknown reason').lower()}"
        fix = "check the folder's permissions and the space left, and take out what was written so far"
        raise UnavailableError([Problem(what, fix)]) from error
    return (*written, *([ignore] if ignore else []))


def _ignore_cache(target: Path) -> Path | None:
    """Add the cache to .gitignore unless it is there; lines of others stay."""
    file = target / ".gitignore"
    text = file.read_bytes() if file.exists() else b""
    if IGNORED.encode() in text.split() or IGNORED.rstrip("/").encode() in text.split():
        return None
    separator = b"" if not text or text.endswith(b"\n") else b"\n"
    file.write_bytes(text + separator + IGNORED.encode() + b"\n")
    return file


def _listed(paths: list[Path], target: Path) -> str:
    names = [path.relative_to(target).as_posix() for path in paths]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
