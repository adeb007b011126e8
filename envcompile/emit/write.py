"""Writing one environment's folder: beside, then swapped in; other files and unchanged ones keep their identity."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.emit.folders import remove_folder
from envcompile.emit.index import INDEX_NAME
from envcompile.emit.plan import unreadable
from envcompile.emit.swap import put_in_place, recover
from envcompile.errors import EnvcError, Problem, UnavailableError
from envcompile.files import real_path, repository_of
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.emit.plan import Plan

STAGING_PREFIX = "staging-"
_SOURCES = frozenset({"base", "overlays"})
"""Folders of the project that people write: what lies there is read by the next build."""


def check_folder(folder: Path, root: Path) -> Path:
    """The real folder behind an output path.

    Raises:
        EnvcError: a symlink on the way leaves the repository, the path is a file, or it lies among the sources.
    """
    try:
        real, own = real_path(folder), root.resolve()
        home = repository_of(own)
        for place in (folder, *folder.parents):
            if place.is_dir():
                break
            if place.exists():
                what = f"{_shown(place, root)} is a file"
                raise EnvcError([Problem(what, "move it away: envc writes a folder there")])
    except OSError as error:
        raise unreadable(error, folder) from error
    except RuntimeError as error:
        what = f"{_shown(folder, root)} runs in a circle of symlinks"
        raise EnvcError([Problem(what, "replace the symlink by a folder")]) from error
    if real.is_relative_to(own) and not _SOURCES.isdisjoint(real.relative_to(own).parts[:1]):
        what = f"{_shown(real, own)} is no place for output: the next build would read it as a source"
        raise EnvcError([Problem(what, "name a folder outside of base/ and overlays/")])
    if folder != real and _leaves(folder, home) and not real.is_relative_to(home):
        raise EnvcError([
            Problem(
                f"{_shown(folder, root)} leads out of the repository, to {real}",
                "replace the symlink by a folder; envc never writes through it",
            )
        ])
    return real


def refuse_obstacles(plan: Plan, folder: Path, root: Path) -> None:
    """Refuse to go on where the folder holds work of people.

    Raises:
        EnvcError: files were edited by hand, or files of others are in the way; all of them are named.
    """
    shown = _shown(folder, root)
    is_blind = plan.former is not None and plan.former.is_blind and bool(plan.edited)
    what = (
        "is not what envc would write, and nothing tells who wrote it: no git, no record of a build in .envc/"
        if is_blind
        else "was changed by hand since envc wrote it"
    )
    problems = [
        Problem(
            f"{shown}/{path} {what}",
            "carry the change into base/ or overlays/, or discard it with `envc build --force`",
            (Location(f"{shown}/{path}", 1, 1),),
        )
        for path in plan.edited
    ]
    problems += [
        Problem(
            f"{shown}/{path} is not envc's and stands where a compiled resource belongs",
            "move it away, or let envc replace it with `envc build --force`",
            (Location(f"{shown}/{path}", 1, 1),),
        )
        for path in plan.foreign
    ]
    if problems:
        raise EnvcError(problems)


def write(plan: Plan, folder: Path, scratch: Path) -> str:
    """Bring a folder to what the plan says, in one step.

    Everything is written beside first. When the change stays within one application's folder, or one file, only that
    is swapped, else the whole environment. Unchanged files and files of others are linked over, so they keep their
    inode and time. A folder that another build brought to the same result meanwhile is left alone.

    Args:
        plan: the comparison of the folder with its bundle.
        folder: the environment's folder.
        scratch: a folder of envc's own on the same file system.

    Returns:
        The application's folder, or the file, that alone is new; an empty text when anything else may be.

    Raises:
        UnavailableError: the disk is full, the folder cannot be written, or another build wrote it meanwhile; the old
            output is untouched.
    """
    former = plan.former
    try:
        recover(folder)
        if _changed_meanwhile(plan, folder):
            return ""
        if former is not None and not plan.is_current:
            former.announce(plan.digests, scratch)
        anew = _swap(plan, folder, scratch)
    except OSError as error:
        if former is not None:
            former.take_back(scratch)
        raise unavailable(error, folder) from error
    if former is not None:
        former.settle({} if plan.gone else plan.digests, scratch)
    return anew


def _swap(plan: Plan, folder: Path, scratch: Path) -> str:
    """Bring a folder to what the plan says; what alone is new, as `write` gives it."""
    if plan.gone:
        _remove_environment(plan, folder, scratch)
        return ""
    touched = {*plan.added, *plan.changed, *plan.removed, *plan.edited, *plan.foreign}
    if len(touched) == 1 and touched <= {*plan.changed, *plan.edited} & plan.bundle.digests.keys():
        (file,) = touched
        _write_application(plan, folder, file, scratch)
        return file
    apps = {path.partition("/")[0] for path in touched}
    app = apps.pop() if len(apps) == 1 else INDEX_NAME
    if app != INDEX_NAME and ((folder / app).is_dir() or ((folder / app).is_file() and touched == {app})):
        _write_application(plan, folder, app, scratch)
        return app
    if touched or not folder.exists():
        _write_environment(plan, folder, scratch)
    elif not plan.index_is_canonical:
        _write_index(plan.new_index, folder, scratch)
    return ""


def _changed_meanwhile(plan: Plan, folder: Path) -> bool:
    """Tell whether another build did this one's work since the plan was made; refuse to go on when it did other."""
    index = folder / INDEX_NAME
    found = index.read_bytes() if index.is_file() and not index.is_symlink() else None
    former = plan.former
    if found == plan.index_now and (former is None or former.is_same()):
        return False
    if found == (None if plan.gone else plan.new_index) and (former is None or former.is_now(plan.digests)):
        return True
    what = f"another build wrote {folder} meanwhile"
    raise UnavailableError([Problem(what, "build again; nothing was written over its result")])


def _write_application(plan: Plan, folder: Path, app: str, scratch: Path) -> None:
    """Swap one application's folder, or one file; whatever needs space is written before anything is moved."""
    staging = _new_staging(scratch, folder)
    index = folder / INDEX_NAME
    old, between, new = (staging / f"{INDEX_NAME}-{name}" for name in ("old", "between", "new"))
    try:
        is_folder = (folder / app).is_dir()
        _fill(plan, folder, staging, f"{app}/" if is_folder else app)
        touched = (*plan.added, *plan.changed, *plan.edited, *plan.foreign)
        between_now = plan.index_between(touched)
        is_same = plan.index_now == between_now == plan.new_index
        if not is_same:
            between.write_bytes(between_now)
            new.write_bytes(plan.new_index)
            if plan.index_now is not None:
                old.write_bytes(plan.index_now)
            between.replace(index)
        try:
            if not is_folder and (staging / app).exists():
                (staging / app).replace(folder / app)
            elif (staging / app).exists():
                put_in_place(staging / app, folder / app)
            else:
                (folder / app).rename(staging / app)
        except OSError:
            if not is_same:
                old.replace(index) if plan.index_now is not None else index.unlink()
            raise
        if not is_same:
            new.replace(index)
    finally:
        remove_folder(staging)


def _write_environment(plan: Plan, folder: Path, scratch: Path) -> None:
    staging = _new_staging(scratch, folder)
    try:
        _fill(plan, folder, staging, "")
        (staging / INDEX_NAME).write_bytes(plan.new_index)
        put_in_place(staging, folder)
    finally:
        remove_folder(staging)


def _remove_environment(plan: Plan, folder: Path, scratch: Path) -> None:
    """Take a folder away with all that is envc's in it; what others have there stays."""
    staging = _new_staging(scratch, folder)
    try:
        _fill(plan, folder, staging, "")
        if any(staging.iterdir()):
            put_in_place(staging, folder)
        else:
            folder.rename(staging / folder.name)
    finally:
        remove_folder(staging)


def _write_index(data: bytes, folder: Path, scratch: Path) -> None:
    beside = scratch / f"{STAGING_PREFIX}index-{os.getpid()}"
    try:
        beside.write_bytes(data)
        beside.replace(folder / INDEX_NAME)
    finally:
        beside.unlink(missing_ok=True)


def _fill(plan: Plan, folder: Path, staging: Path, prefix: str) -> None:
    """Fill a staging folder with everything below `prefix` that the folder will hold."""
    is_file = prefix in plan.bundle.digests
    kept = {*plan.unchanged, *plan.others} if not is_file else plan.unchanged
    own_paths = [prefix] if is_file else {*plan.bundle.digests, *plan.others}
    root, below = str(staging), str(folder)
    made = {root}
    missing = []
    for path in sorted([path for path in own_paths if path.startswith(prefix)]):
        if path in kept:
            target = f"{root}/{path}"
            _make_folder(target.rpartition("/")[0], made)
            _link(f"{below}/{path}", target)
        else:
            missing.append(path)
    files, others = plan.bundle.files, plan.bundle.others
    own = others.begin(root, missing) if others is not None else missing
    write_files(root, ((path, files[path]) for path in own))
    for path in others.finish() if others is not None else ():
        (staging / path).unlink(missing_ok=True)
        write_files(root, [(path, files[path])])


def write_files(root: str, files: Iterable[tuple[str, bytes]]) -> None:
    """Write new files, with the folders that they need.

    Args:
        root: the folder that they are below.
        files: the path of each below it, and its bytes.

    Raises:
        OSError: one cannot be written, or is there.
    """
    made = {root}
    for path, data in files:
        target = f"{root}/{path}"
        _make_folder(target.rpartition("/")[0], made)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            remaining = data
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
        finally:
            os.close(descriptor)


def _make_folder(folder: str, made: set[str]) -> None:
    """Make a folder, unless this was done before."""
    if folder in made:
        return
    try:
        os.mkdir(folder)  # ruff: ignore[os-mkdir] - as below
    except OSError:
        os.makedirs(folder, exist_ok=True)  # ruff: ignore[os-makedirs] - the hot loop of a build; Path objects double its time
    made.add(folder)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP}:
            raise
        import shutil

        shutil.copy2(source, target, follow_symlinks=False)


def _new_staging(scratch: Path, folder: Path) -> Path:
    staging = scratch / f"{STAGING_PREFIX}{folder.name}-{os.getpid()}"
    remove_folder(staging)
    staging.mkdir(parents=True)
    return staging


def has_leftovers(scratch: Path) -> bool:
    """Tell whether a build is at work in a scratch folder, or was killed there."""
    return bool(_stagings(scratch))


def sweep(scratch: Path) -> None:
    """Remove what killed builds left behind; call it only while no other build runs."""
    for leftover in _stagings(scratch):
        if leftover.is_dir():
            remove_folder(leftover)
        else:
            leftover.unlink(missing_ok=True)


def _stagings(scratch: Path) -> list[Path]:
    try:
        return [path for path in scratch.iterdir() if path.name.startswith(STAGING_PREFIX)]
    except OSError:
        return []


def _leaves(folder: Path, home: Path) -> bool:
    """Tell whether a path that is spelled inside the repository is meant to stay there."""
    return Path(os.path.abspath(folder)).is_relative_to(home)  # ruff: ignore[os-path-abspath] - resolve() would follow the symlink


def _shown(folder: Path, root: Path) -> str:
    try:
        return folder.relative_to(root).as_posix()
    except ValueError:
        return str(folder)


def unavailable(error: OSError, folder: Path) -> UnavailableError:
    """What an operating system's refusal means to a person."""
    reason = error.strerror or str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        what, fix = f"no space left to write {folder}", "free some space and build again; the old output is untouched"
    elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        what = f"{folder} cannot be written: {reason.lower()}"
        fix = "make the folder writable for you, or write elsewhere with `--output DIR`; the old output is untouched"
    else:
        what = f"{folder} could not be written: {reason}"
        fix = "see to the file system and build again; the old output is untouched"
    return UnavailableError([Problem(what, fix)])
