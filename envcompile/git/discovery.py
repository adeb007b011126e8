"""Which repository a folder belongs to: worked out once, and told to git from then on."""

from __future__ import annotations

import os
from pathlib import Path

from envcompile.errors import Problem, UsageError
from envcompile.git.run import Place, ask_quietly, index_of, reason_of, run
from envcompile.record import Record

_QUESTIONS = (
    "--is-bare-repository",
    "--is-inside-work-tree",
    "--show-prefix",
    "--path-format=absolute",
    "--git-dir",
    "--git-common-dir",
)


class Whereabouts(Record, frozen=True):
    """Where a repository keeps what."""

    place: Place
    """What git is told."""
    git_folder: Path
    """The work tree's own git folder, with its index and HEAD."""
    common_folder: Path
    """The git folder that linked work trees share, with objects, branches and hooks."""
    prefix: str
    """The folder that was asked for, inside of the repository, such as `deploy/`; empty at the top."""
    is_bare: bool


def find(folder: Path, *, bare: bool = False) -> Whereabouts:
    """The repository that a folder belongs to.

    A folder of files named HEAD, objects and refs is committed as easily as any other. Git would take it for a
    repository and obey its configuration; it is passed over here (git-config(1), safe.bareRepository).

    Args:
        folder: a folder of the work tree.
        bare: the folder may also be a bare repository, when no work tree lies around it.

    Raises:
        UsageError: the folder is in no git repository, or git does not trust its owner.
        UnavailableError: there is no git on this machine.
    """
    real = Path(os.path.realpath(folder))
    start = _outside_of_lookalikes(real)
    is_bare = bare and not _has_repository(start or real) and _looks_like_repository(real)
    if start is None and not is_bare:
        raise not_a_repository()
    place = Place(real, str(real)) if is_bare or start is None else Place(start)
    done = run(place, "rev-parse", *_QUESTIONS)
    if done.returncode:
        raise _refused(reason_of(done), real)
    answers = done.stdout.decode("utf-8", "surrogateescape").split("\n")
    bare_said, inside, below, git_folder, common = (
        answers[:5] if len(answers) > 5 else [*answers[:2], "", *answers[2:4]]
    )
    if bare_said == "true":
        own = Place(Path(common), common)
        return Whereabouts(own, Path(git_folder), Path(common), "", is_bare=True)
    if inside != "true":
        raise not_a_repository()
    top = place.folder
    for _ in range(below.count("/")):
        top = top.parent
    prefix = "" if real == top else f"{real.relative_to(top).as_posix()}/"
    own = Place(real, git_folder, str(top), index_of(os.environ, git_folder, str(top)))
    return Whereabouts(own, Path(git_folder), Path(common), prefix, is_bare=False)


def place_of(root: Path) -> Place | None:
    """What git is told for a project's folder; None outside of any repository.

    Where nothing can lead git astray it finds the repository itself, which saves asking for it first.

    Raises:
        UnavailableError: there is no git on this machine.
    """
    real = Path(os.path.realpath(root))
    start = _outside_of_lookalikes(real)
    if start is None or not _has_repository(start):
        return None
    if start == real and not os.environ.get("GIT_INDEX_FILE"):
        return Place(real)
    try:
        return find(real).place
    except UsageError:
        return None


def has_sparse_patterns(root: Path) -> bool:
    """Tell whether the work tree around a folder may be a sparse checkout; looks at files only."""
    for around in (real := Path(os.path.realpath(root)), *real.parents):
        marker = around / ".git"
        if marker.is_dir():
            return (marker / "info" / "sparse-checkout").exists()
        if marker.is_file():
            named = marker.read_bytes().removeprefix(b"gitdir:").strip()
            return (around / os.fsdecode(named) / "info" / "sparse-checkout").exists()
    return False


def prefix_of(root: Path) -> str:
    """The project's folder inside of its repository, such as `deploy/`; empty at the top, or outside of any.

    Raises:
        UnavailableError: there is no git on this machine.
    """
    try:
        return find(root).prefix
    except UsageError:
        return ""


def shared_folder(found: Whereabouts) -> Path:
    """The folder for what all work trees of a repository share, such as the history of its commits.

    That is the project's folder in the main work tree. Where there is none (a bare repository, with or without linked
    work trees, and a git folder that is kept elsewhere), it is the shared git folder.
    """
    common, prefix = found.common_folder, found.prefix
    if found.is_bare:
        return common / ".envc"
    if found.git_folder == common and (common.name == ".git" or found.place.work_tree == _named_work_tree(common)):
        return found.place.folder / ".envc"
    if found.git_folder != common:
        place = Place(common, str(common))
        is_bare = ask_quietly(place, "config", "--type=bool", "--get", "core.bare").strip() == "true"
        if not is_bare and common.name == ".git":
            return common.parent / prefix / ".envc"
        named = "" if is_bare else _named_work_tree(common)
        if named:
            return Path(named) / prefix / ".envc"
    return common / ".envc" / prefix


def _named_work_tree(common: Path) -> str:
    """The main work tree that the configuration names, as it does in a submodule; empty where it names none."""
    named = ask_quietly(Place(common, str(common)), "config", "--get", "core.worktree").rstrip("\n")
    return os.path.realpath(common / named) if named else ""


def not_a_repository() -> UsageError:
    """The error of a folder that is in no git repository."""
    return UsageError([Problem("not a git repository", "`git init` and commit first")])


def _refused(reason: str, folder: Path) -> UsageError:
    if "dubious ownership" in reason:
        what = f"git does not read the repository around {folder}: it belongs to another user"
        return UsageError([Problem(what, "trust it: git config --global --add safe.directory DIR")])
    if reason.startswith("not a git repository") or "bare repository" in reason:
        closed = _closed(folder)
        if closed is None:
            return not_a_repository()
        return UsageError([Problem(f"git cannot read {closed}: permission denied", "make it readable for you")])
    return UsageError([Problem(f"git cannot read the repository here: {reason}", "run `git status` in this folder")])


def _closed(folder: Path) -> Path | None:
    """What keeps git from seeing the repository around a folder: a git folder, or its HEAD, that may not be read."""
    marker = next((around / ".git" for around in (folder, *folder.parents) if os.path.lexists(around / ".git")), None)
    if marker is None:
        return None
    if not os.access(marker, os.R_OK):
        return marker
    return marker / "HEAD" if os.path.lexists(marker / "HEAD") and not os.access(marker / "HEAD", os.R_OK) else None


def _outside_of_lookalikes(folder: Path) -> Path | None:
    """The folder itself, or the one around every lookalike of a repository that it is in; None for nowhere."""
    start: Path | None = folder
    for around in (folder, *folder.parents):
        if os.path.lexists(around / ".git"):
            break
        if _looks_like_repository(around):
            start = around.parent if around.parent != around else None
    return start


def _has_repository(folder: Path) -> bool:
    return any(os.path.lexists(around / ".git") for around in (folder, *folder.parents))


def _looks_like_repository(folder: Path) -> bool:
    """Tell whether git could take a folder itself for a repository (`is_git_directory` in git's setup.c)."""
    if not os.path.lexists(folder / "HEAD"):
        return False
    return (folder / "commondir").exists() or ((folder / "objects").is_dir() and (folder / "refs").is_dir())
