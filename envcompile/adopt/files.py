"""Writing a new repository: nothing is overwritten, and a run that was broken off can be run again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from envcompile.errors import fail
from envcompile.files import SCRATCH, inside, read_below, unwritable, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

IGNORED = ".envc/"
"""The cache and the history database: what git must not see."""

_SHOWN = 10


def refuse_sources(target: Path, files: Mapping[str, bytes]) -> None:
    """Refuse a target in which base/ or overlays/ hold other files already: the build would read them, too.

    Args:
        target: the folder of the new repository.
        files: what will be written; a file that is there with the same bytes is one of a run that was broken off.

    Raises:
        EnvcError: naming what is there.
    """
    present = [
        path for path in _sources(target) if not _is_written(path, files.get(path.relative_to(target).as_posix()))
    ]
    if present:
        raise fail(
            f"`{target}` is not empty where the new repository belongs: {_listed(present, target)}",
            "name another folder, `envc init NEWDIR …`, and move its contents when you are content with them",
        )


def _sources(target: Path) -> Iterator[Path]:
    """What stands in a folder where a project's sources stand; temporary files of writes that were killed are none."""
    if (target / "envc.yaml").exists():
        yield target / "envc.yaml"
    for folder in (target / "base", target / "overlays"):
        if folder.is_dir():
            yield from sorted(path for path in folder.rglob("*") if path.is_file() and SCRATCH not in path.name)
        elif folder.exists():
            yield folder


def _is_written(path: Path, data: bytes | None) -> bool:
    """Tell whether exactly these bytes stand in a file already."""
    return data is not None and path.is_file() and not path.is_symlink() and path.read_bytes() == data


def write_new(target: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files that must not exist yet with other bytes, and see to it that git ignores the cache.

    Gives the paths written. When the disk refuses, what was written is taken away again.

    Raises:
        EnvcError: some of them exist, or a symlink leads out of the repository; nothing is written then.
        UnavailableError: the folder cannot be written.
    """
    for name in files:
        inside(target, name)
    wanted = {target / path: data for path, data in files.items() if not _is_written(target / path, data)}
    present = [path for path in wanted if path.exists() or path.is_symlink()]
    if present:
        raise fail(
            f"these files exist already, and envc never overwrites them: {_listed(present, target)}",
            "choose another name or folder, or move them away",
        )
    made: list[Path] = []
    try:
        for path, data in wanted.items():
            _make_folder(path.parent, made)
            write_atomically(path, data)
            made.append(path)
        ignored = _ignore_cache(target)
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise
    return (*wanted, *ignored)


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder with those above it, and note what was made."""
    if folder.is_dir():
        return
    _make_folder(folder.parent, made)
    try:
        folder.mkdir()
    except OSError as error:
        raise unwritable(folder, error, "what was written is taken away again") from error
    made.append(folder)


def _ignore_cache(target: Path) -> list[Path]:
    """Add the cache to .gitignore unless it is there; lines of others stay."""
    file = target / ".gitignore"
    text = read_below(target, ".gitignore") or b""
    if IGNORED.encode() in text.split() or IGNORED.rstrip("/").encode() in text.split():
        return []
    separator = b"" if not text or text.endswith(b"\n") else b"\n"
    write_atomically(file, text + separator + IGNORED.encode() + b"\n")
    return [file]


def _listed(paths: list[Path], target: Path) -> str:
    names = [path.relative_to(target).as_posix() for path in paths]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
