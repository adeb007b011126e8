"""GitPython, for what is asked rarely; whatever it starts goes through this room's one way to start git.

It takes longer to import than many commands run, so it is imported when first asked. Its `Repo` is left alone: it reads
GIT_COMMON_DIR and GIT_WORK_TREE of whatever hook envc runs in, and knows neither SHA-256 nor reftable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UnavailableError
from envcompile.git.run import run

if TYPE_CHECKING:
    from git import Git

    from envcompile.git.run import Place


def open_library(place: Place) -> Git:
    """GitPython's commands (`library.merge_base(a, b)`) for a repository.

    Args:
        place: what git is told.

    Raises:
        UnavailableError: there is no git on this machine.
    """
    try:
        import git
    except ImportError as error:  # it looks for git when it is imported
        raise UnavailableError([Problem("git is not installed", "install git")]) from error

    class _Door(git.Git):
        """Runs commands as every other of this room: GitPython itself would pass on what hooks set."""

        def execute(self, command: Any, *_: Any, **options: Any) -> Any:  # ruff: ignore[no-self-use] - takes its place
            done = run(place, *command[1:])
            out = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
            if done.returncode and options.get("with_exceptions", True):
                raise git.GitCommandError(command, done.returncode, done.stderr, done.stdout)
            return (done.returncode, out, "") if options.get("with_extended_output") else out

    return _Door(str(place.folder))
