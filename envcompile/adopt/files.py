"""Writing a new repository: nothing is overwritten, and a run that was broken off can be run again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from envcompile.errors import fail
from envcompile.files import SCRATCH, inside, read_below, unwritable, write_atomically
from envcompile.sources.project import SOURCE_ENDINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

IGNORED = ".envc/"
"""The cache and the history database: what git must not see."""

_SHOWN = 10
_READ = (*SOURCE_ENDINGS, "/Kustomization")
"""How the names of files end that a build reads, or refuses, in base/ and overlays/."""


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
            f"`{target}` is not empty where the new repository belongs: {_listed(_below(target, present))}",
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


def replace_sources(target: Path, files: Mapping[str, bytes], consumed: Collection[str]) -> tuple[Path, ...]:
    """Put the new repository in the place of the files that it was made of; give the files written.

    Args:
        target: the folder of both.
        files: what will be written.
        consumed: the old files that nobody needs any more, relative to the folder.

    Raises:
        EnvcError: base/ or overlays/ hold further files that a build would read, or git does not have an old file as
            it is; nothing is changed then.
        UsageError: the folder is in no git repository.
        UnavailableError: the folder cannot be written; what was changed is put back.
    """
    present = _below(target, _sources(target))
    if "envc.yaml" in present and _is_other(target, "envc.yaml", files):
        raise fail(f"`{target}` is a project of envc already: envc.yaml", "name another folder, `envc init NEWDIR …`")
    gone = [path for path in present if path in consumed and path not in files]
    left = [
        path for path in present if path not in consumed and path.endswith(_READ) and _is_other(target, path, files)
    ]
    if left:
        raise fail(
            f"a build would read these files, which are part of no environment: {_listed(left)}",
            "say what they belong to with `--env`, or move them out of base/ and overlays/",
        )
    changed = [path for path in present if path in files and _is_other(target, path, files)]
    _require_committed(target, [*gone, *changed])
    before = {path: (target / path).read_bytes() for path in (*gone, *changed)}
    try:
        for path in before:
            (target / path).unlink()
        written = write_new(target, files)
    except BaseException:
        for path, data in before.items():
            write_atomically(target / path, data)
        raise
    for folder in sorted({(target / path).parent for path in gone}, reverse=True):
        with suppress(OSError):
            folder.rmdir()
    return written


def _is_other(target: Path, path: str, files: Mapping[str, bytes]) -> bool:
    """Tell whether a file is not already what will be written."""
    return not _is_written(target / path, files.get(path))


def _require_committed(target: Path, paths: Sequence[str]) -> None:
    """Refuse to replace what git could not bring back.

    Raises:
        EnvcError: naming what is not committed.
        UsageError: the folder is in no git repository.
    """
    from envcompile.git.repository import open_repository

    repository = open_repository(target.absolute())
    tree = repository.commit_tree("HEAD") if repository.has_commits() else None
    missing = [
        path
        for path in paths
        if tree is None
        or (target / path).is_symlink()
        or not tree.is_file(path)
        or tree.read(path) != (target / path).read_bytes()
    ]
    if missing:
        raise fail(
            f"these files would be replaced, and git does not have them as they are: {_listed(missing)}",
            "commit them first: then `git diff` shows what became of them, and `git checkout .` brings them back",
        )


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
            f"these files exist already, and envc never overwrites them: {_listed(_below(target, present))}",
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


def _below(target: Path, paths: Iterable[Path]) -> list[str]:
    return [path.relative_to(target).as_posix() for path in paths]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
