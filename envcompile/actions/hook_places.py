"""Where hooks lie: the folder that git looks into, the one beside it, and what belongs to a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from envcompile.actions.hook_files import text_of
from envcompile.actions.hook_scripts import HOOKS, KEPT, MERGE, RUN
from envcompile.errors import Problem, UsageError
from envcompile.git.refs import hooks_path
from envcompile.git.run import ask, at_top

if TYPE_CHECKING:
    from envcompile.git.repository import Repository


class Places(NamedTuple):
    """The files that hooks are made of."""

    hooks: Path
    """Where git looks for hooks."""
    kept: Path
    """Where hooks of somebody else lie."""
    lines: Path | None
    """Where a team keeps the hooks that husky calls, if husky owns the folder."""
    run: Path
    """The script that runs all projects."""
    project: Path
    """The script of this project."""
    merge: Path
    """The script that git merges outputs with."""
    common: Path
    """The git folder that all work trees share."""

    @classmethod
    def of(cls, repository: Repository) -> Places:
        """Find them for a project.

        Raises:
            UsageError: there are no hooks in such a repository.
        """
        hooks = hooks_folder(repository)
        own = repository.common_folder / RUN
        prefix = repository.prefix.rstrip("/")
        name = f"project-{quote(prefix, safe='')}.sh" if prefix else "project.sh"
        return cls(
            hooks,
            hooks.with_name(hooks.name + KEPT),
            _husky(hooks),
            own,
            own.with_name(name),
            repository.common_folder / MERGE,
            repository.common_folder,
        )

    def other_projects(self) -> list[Path]:
        """The scripts of the other projects that have hooks in this repository."""
        return sorted({*self.project.parent.glob("project*.sh")} - {self.project})

    def older(self, name: str) -> Path:
        """Where envc 0.1 kept a hook of somebody else."""
        return self.hooks / f"{name}{KEPT}"


def hooks_folder(repository: Repository) -> Path:
    """Where git looks for hooks: what `core.hooksPath` says, else the repository's own folder.

    Raises:
        UsageError: a bare repository, which has no commits to make, or a folder that other repositories share.
    """
    if repository.is_bare:
        raise UsageError([
            Problem("a bare repository has no commit hooks", "run `envc history import` in it, by cron or after a push")
        ])
    folder = Path(hooks_path(repository))
    if not any(folder.resolve().is_relative_to(own.resolve()) for own in (repository.common_folder, repository.top)):
        raise UsageError([
            Problem(
                f"core.hooksPath is {folder}, which other repositories share",
                "set it for this repository: git config core.hooksPath .git/hooks",
            )
        ])
    return folder.resolve()


def is_touched(repository: Repository) -> bool:
    """Tell whether the next commit changes anything of a project that is not the whole repository.

    `git commit -a` and `git commit FILE` make the commit of another index than the repository's.
    """
    if not repository.prefix:
        return True
    return bool(ask(repository.place, "diff", "--cached", "--name-only", "--no-ext-diff", "--", "."))


def committed_hooks(repository: Repository, places: Places) -> frozenset[str]:
    """The hooks that git tracks: what is written there comes to everybody."""
    top = repository.top.resolve()
    if not places.hooks.is_relative_to(top) or places.hooks.is_relative_to(repository.common_folder.resolve()):
        return frozenset()
    folder = places.hooks.relative_to(top).as_posix()
    found = ask(at_top(repository.place), "ls-files", "-z", "--", *(f"{folder}/{name}" for name in HOOKS))
    return frozenset(path.rpartition("/")[2] for path in found.split("\0") if path)


def _husky(hooks: Path) -> Path | None:
    """The folder of the hooks that people write, where husky (9 or newer) owns the one that git looks into."""
    is_huskys = hooks.name == "_" and (hooks.parent.name == ".husky" or "husky" in text_of(hooks / "h"))
    return hooks.parent if is_huskys else None
