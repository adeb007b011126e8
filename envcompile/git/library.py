"""GitPython, for what is asked rarely; whatever it starts goes through this room's one way to start git.

It takes longer to import than many commands run, so it is imported when first asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UnavailableError
from envcompile.git.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from git import Repo

    from envcompile.git.run import Place


def open_library(place: Place, git_folder: Path, common_folder: Path) -> Repo:
    """GitPython's view of a repository; close it after use.

    Args:
        place: what git is told.
        git_folder: the work tree's own git folder.
        common_folder: the git folder that linked work trees share.

    Raises:
        UnavailableError: there is no git on this machine.
    """
    try:
        import git
    except ImportError as error:  # it looks for git when it is imported
        raise UnavailableError([Problem("git is not installed", "install git")]) from error

    class _Door(git.Git):
        """Runs commands as every other of this room: GitPython itself would pass on what hooks set."""

        def execute(self, command: Any, *_: Any, **options: Any) -> Any:  # ruff: ignore[no-self-use] - it takes the place of another
            if options.get("as_process") or options.get("istream"):
                raise NotImplementedError("objects are read by envcompile.git.objects")
            done = run(place, *command[1:])
            out = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
            said = done.stderr.decode("utf-8", "replace")
            if done.returncode and options.get("with_exceptions", True):
                raise git.GitCommandError(command, done.returncode, said, out)
            return (done.returncode, out, said) if options.get("with_extended_output") else out

    class _Library(git.Repo):
        GitCommandWrapperType = _Door

        @property
        def common_dir(self) -> str:
            """The shared git folder, whatever GIT_COMMON_DIR says."""
            return str(common_folder)

    return _Library(git_folder, expand_vars=False)
