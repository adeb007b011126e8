"""What a person says about a source: which part of it is which environment, what is left out, what the base is."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.adopt.existing import environment_name
from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Wishes(NamedTuple):
    """Nothing said means that it is guessed, and that the guess is told."""

    environments: tuple[tuple[str, str], ...] = ()
    """Names of environments with files or folders, relative to the source; one name may stand several times."""
    skip: tuple[str, ...] = ()
    """Globs of files and folders below the source, as `fnmatch` reads them, that are not looked at."""
    base: str = ""
    """The folder below the source whose objects become the base; empty: the kustomization that all environments use."""
    skip_broken: bool = False
    """Whether a kustomization that cannot be built is left out, and named."""
    cleans_helm: bool = False
    """Whether what only Helm reads is taken out: tests of charts, its labels and annotations."""

    def skips(self, path: str) -> bool:
        """Whether a file or folder is left out, by its own path, its name, or a folder above it."""
        parts = path.split("/")
        whole = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return any(
            fnmatchcase(each, glob.removesuffix("/")) or fnmatchcase(posixpath.basename(each), glob.removesuffix("/"))
            for each in whole
            for glob in self.skip
        )

    def named(self) -> dict[str, list[str]]:
        """The paths of each environment, in the order in which they were said."""
        found: dict[str, list[str]] = {}
        for name, path in self.environments:
            found.setdefault(name, []).append(path)
        return found


NO_WISHES: Final = Wishes()


def read_wishes(
    source: Path,
    environments: Iterable[str] = (),
    *,
    skip: Sequence[str] = (),
    base: str | None = None,
    skip_broken: bool = False,
    cleans_helm: bool = False,
) -> Wishes:
    """The wishes that `--env NAME=PATH`, `--skip GLOB`, `--base DIR`, `--skip-broken` and `--helm clean` stand for.

    Args:
        source: what is brought over; paths are relative to it, or else to the working folder.
        environments: as `--env` takes them.
        skip: as `--skip` takes them.
        base: as `--base` takes it.
        skip_broken: whether `--skip-broken` was given.
        cleans_helm: whether `--helm clean` was given.

    Raises:
        UsageError: a text is no NAME=PATH, a name is none of an environment, or a path is not below the source.
    """
    problems: list[Problem] = []
    named: list[tuple[str, str]] = []
    for text in environments:
        name, sign, path = text.partition("=")
        if not sign or not name or not path:
            problems.append(Problem(f"`--env {text}` is not NAME=PATH", "write it as `--env prod=deploy/prod`"))
        elif environment_name(name) != name:
            what = f"`{name}` is no name of an environment"
            problems.append(Problem(what, f"use lower-case letters, digits and `-`: `{environment_name(name)}`"))
        elif (found := _below(source, path)) is None:
            what = f"`{path}` is nothing in `{source.as_posix()}`"
            problems.append(Problem(what, f"name a file or folder of `{source.as_posix()}`"))
        else:
            named.append((name, found))
    folder = None if base is None else _below(source, base)
    if base is not None and folder is None:
        what = f"`{base}` is nothing in `{source.as_posix()}`"
        problems.append(Problem(what, "name the folder with what all environments have"))
    if problems:
        raise UsageError(problems)
    return Wishes(tuple(named), tuple(skip), folder or "", skip_broken, cleans_helm)


def _below(source: Path, text: str) -> str | None:
    """A path of the source relative to it, whether it was said from there or from the working folder."""
    top = source.resolve()
    for place in (source / text, Path(text)):
        if place.exists() and place.resolve().is_relative_to(top):
            return place.resolve().relative_to(top).as_posix()
    return None
