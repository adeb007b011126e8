"""The proof: the build of the new repository is, object for object and type for type, what the source was."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile import yamlio
from envcompile.actions.refused import report_refused
from envcompile.adopt.existing import literal_identity, title
from envcompile.emit.manifests import stream
from envcompile.errors import EnvcError, Problems
from envcompile.limits import DEFAULT_LIMITS
from envcompile.log import progress
from envcompile.sources.tree import FileEntry
from envcompile.units.project import Project
from envcompile.values import dotted, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.existing import ExistingEnvironment, Value
    from envcompile.errors import Problem
    from envcompile.limits import Limits
    from envcompile.model import Pointer

_MOST_FIELDS = 5


class Mismatch(NamedTuple):
    """One object that the build makes otherwise; fields are named, their values never shown."""

    environment: str
    position: int
    """Of the object among those of the environment; -1 for one that the source does not have."""
    what: str

    def __str__(self) -> str:
        return f"{self.environment}: {self.what}"


class Proof(NamedTuple):
    """What was compared: objects per environment, and every difference that was found."""

    objects: Mapping[str, int]
    differences: tuple[Mismatch, ...]
    problems: tuple[Problem, ...]
    """Why an environment of the new repository does not build at all; places are in its files."""
    refused: Mapping[str, tuple[Problem, ...]]
    """By environment, what `envc build` would not write though the source has it, since no API server takes it."""

    @property
    def is_equal(self) -> bool:
        """True when the build is exactly the source."""
        return not self.differences


class PlannedTree:
    """The files of a repository that is not written yet."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._folders = {folder for path in files for folder in _parents(path)}

    @property
    def root(self) -> Path | None:
        """There is no folder yet."""
        return None

    @property
    def limits(self) -> Limits:
        """Those of every project."""
        return DEFAULT_LIMITS

    def bound(self, limits: Limits) -> None:
        """Nothing is bounded: envc makes these files itself."""

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path."""
        prefix = "" if folder in {"", "."} else f"{folder.rstrip('/')}/"
        return [FileEntry(path) for path in sorted(self._files) if path.startswith(prefix)]

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._files[path]

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        return path in self._files or path in self._folders

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        return path in self._files


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def prove(files: Mapping[str, bytes], environments: Sequence[ExistingEnvironment]) -> Proof:
    """Build the planned repository and compare each environment with its source, written out and read again."""
    from envcompile.yamlio import Renderer

    counts = {environment.name: len(environment.objects) for environment in environments}
    try:
        project = Project(PlannedTree(files))
    except EnvcError as error:
        everywhere = [Mismatch(name, -1, problem.what) for name in counts for problem in error.problems]
        return Proof(counts, tuple(everywhere), error.problems, {})
    differences: list[Mismatch] = []
    problems: list[Problem] = []
    refused: dict[str, tuple[Problem, ...]] = {}
    renderer = Renderer()
    for position, environment in enumerate(environments, 1):
        progress("environments proven", position, len(environments))
        try:
            linked = project.link(environment.name)
            built = yamlio.load_all(stream(tuple(linked.resources()), renderer).encode(), environment.name)
        except EnvcError as error:
            differences += [Mismatch(environment.name, -1, problem.what) for problem in error.problems]
            problems += error.problems
            continue
        differences += compare(environment, [value for value in built if value is not None])
        found = Problems()
        report_refused(project, [linked], found)
        if found:
            refused[environment.name] = found.found
    return Proof(counts, tuple(differences), tuple(dict.fromkeys(problems)), refused)


def compare(environment: ExistingEnvironment, built: Sequence[Value]) -> Iterator[Mismatch]:
    """Every object of an environment that was built otherwise, is missing, or is there without need."""
    made: dict[tuple[str, ...], list[Value]] = {}
    for value in built:
        made.setdefault(literal_identity(value), []).append(value)
    for position, existing in enumerate(environment.objects):
        identity = literal_identity(existing.value)
        found = made.pop(identity, [])
        named = _named(existing.value)
        if not found:
            yield Mismatch(environment.name, position, f"{named} is missing from the build")
        elif len(found) > 1:
            yield Mismatch(environment.name, position, f"{named} is built {len(found)} times")
        elif not same(found[0], existing.value):
            fields = list(_fields(existing.value, found[0], ()))
            more = f" and {len(fields) - _MOST_FIELDS} more" if len(fields) > _MOST_FIELDS else ""
            yield Mismatch(environment.name, position, f"{named} differs in {', '.join(fields[:_MOST_FIELDS])}{more}")
    for values in made.values():
        yield Mismatch(environment.name, -1, f"{_named(values[0])} is built, but the source does not have it")


def _named(value: Value) -> str:
    namespace = value["metadata"].get("namespace")
    return title(value) + (f" (namespace {namespace})" if namespace else "")


def _fields(source: Any, built: Any, pointer: Pointer) -> Iterator[str]:
    """The fields that differ, by name."""
    if same(source, built):
        return
    if type(source) is dict and type(built) is dict:
        for key in dict.fromkeys([*source, *built]):
            if key in source and key in built:
                yield from _fields(source[key], built[key], (*pointer, key))
            else:
                yield f"`{dotted((*pointer, key))}`"
    elif type(source) is list and type(built) is list and len(source) == len(built):
        for position, (old, new) in enumerate(zip(source, built, strict=True)):
            yield from _fields(old, new, (*pointer, position))
    else:
        yield f"`{dotted(pointer)}`"
