"""What a build did, or would do, to the environments' folders, and the writing of it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from envcompile.emit.index import ATTRIBUTES, FORMER_ATTRIBUTES
from envcompile.emit.swap import leftovers, recover
from envcompile.emit.write import has_leftovers, sweep, unavailable, write
from envcompile.errors import UnavailableError
from envcompile.files import lock, write_atomically
from envcompile.files import sweep as sweep_temporaries
from envcompile.git.own_folder import require_own
from envcompile.record import Record
from envcompile.units.snapshot import CHART as CHART_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.emit.plan import Plan


_LOCK: Final = "build.lock"
"""Keeps two builds from swapping the same folders at the same time; the second one waits."""

__all__ = ["CHART_FOLDER", "EnvironmentResult", "recover_interrupted", "write_all"]


class EnvironmentResult(Record, frozen=True):
    """One environment's folder: where it is, how many resources it holds, and what was done to it."""

    environment: str
    folder: Path
    resources: int
    plan: Plan
    warnings: tuple[str, ...]


def write_all(root: Path, target: Path, results: Sequence[EnvironmentResult]) -> dict[str, str]:
    """Write every folder that is not current yet, one after the other; a second build waits meanwhile.

    Returns:
        For each folder that was written what below it was put there anew: one application's folder, or all (empty).

    Raises:
        UnavailableError: the output cannot be written; what was not written yet is as it was.
    """
    pending = [result for result in results if not (result.plan.is_current and result.plan.index_is_canonical)]
    if not pending:
        _tidy(root, target)
        _keep_records(root, target, results)
        return {}
    scratch = _scratch(root, target)
    with lock(scratch / _LOCK):
        sweep(scratch)
        if target == root / "environments":
            _let_git_merge(root, target)  # first: whoever is killed later is told by what is not written yet
        written = {result.environment: write(result.plan, result.folder, scratch) for result in pending}
    _keep_records(root, target, [result for result in results if result.environment not in written])
    return written


def _keep_records(root: Path, target: Path, results: Sequence[EnvironmentResult]) -> None:
    """Record what is in folders that were current already: a fresh clone, say."""
    plans = [result.plan for result in results if not result.plan.gone]
    fresh = [plan for plan in plans if plan.former is not None and not plan.former.is_now(plan.digests)]
    if not fresh:
        return
    with suppress(UnavailableError):  # nothing had to be written, so that nobody needs to hear that nothing can be
        scratch = _scratch(root, target)
        for plan in fresh:
            if plan.former is not None:
                plan.former.settle(plan.digests, scratch)


def _let_git_merge(root: Path, target: Path) -> None:
    """Tell git how indexes merge, in a repository that says nothing about attributes in this folder yet."""
    file = target / ".gitattributes"
    sweep_temporaries(target, file.name, age=0)
    is_in_git = any(os.path.lexists(folder / ".git") for folder in (root, *root.parents))
    if is_in_git and (not os.path.lexists(file) or _is_former(file)):
        with suppress(UnavailableError, OSError):
            target.mkdir(exist_ok=True)
            write_atomically(file, ATTRIBUTES.encode())


def _is_former(file: Path) -> bool:
    """Tell whether attributes are those that an older envc wrote, and nobody else's."""
    with suppress(OSError):
        return not file.is_symlink() and file.is_file() and file.read_bytes() == FORMER_ATTRIBUTES.encode()
    return False


def _tidy(root: Path, target: Path) -> None:
    """Remove what a build left that was killed when all was in place already."""
    for scratch in (root / ".envc", target / ".envc"):
        if has_leftovers(scratch):
            require_own(scratch)
            with suppress(OSError), lock(scratch / _LOCK):
                sweep(scratch)


def recover_interrupted(root: Path, target: Path) -> None:
    """Finish or take back what a crash interrupted, before anything is compared.

    Raises:
        UnavailableError: the output cannot be written.
    """
    if not leftovers(target):
        return
    try:
        with lock(_scratch(root, target) / _LOCK):
            for folder in leftovers(target):
                recover(folder)
    except OSError as error:
        raise unavailable(error, target) from error


def _scratch(root: Path, target: Path) -> Path:
    """A folder of our own on the file system of the output: `.envc` when it is there, else one in the output.

    Raises:
        UsageError: `.envc` is not envc's own.
    """
    own = root / ".envc"
    require_own(own)
    require_own(target / ".envc")
    try:
        own.mkdir(exist_ok=True)
        ignore = own / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:
            ignore.write_text("*\n")
        target.mkdir(parents=True, exist_ok=True)
        if own.stat().st_dev == target.stat().st_dev and os.access(own, os.W_OK):
            return own
    except OSError:
        pass
    beside = target / ".envc"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        (beside / ".gitignore").write_text("*\n")
    except OSError as error:
        raise unavailable(error, target) from error
    return beside
