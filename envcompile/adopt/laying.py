"""Kustomizations with what Flux and Argo CD write into them before they build: in a copy, for the source is only read.

Sources: github.com/fluxcd/pkg/kustomize (`Generator.WriteFile`: a folder without a kustomization gets one of all its
manifests and of the kustomizations below it; fields of the object are set, lists appended, images replaced by name);
argo-cd/util/kustomize (`kustomize edit set|add`).
"""

from __future__ import annotations

import os
import posixpath
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from envcompile import yamlio
from envcompile.adopt.kustomization_files import Kustomization, below
from envcompile.adopt.kustomize import FILENAMES, render
from envcompile.files import write_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envcompile.adopt.existing import Existing
    from envcompile.errors import Problems

_BY_NAME: Final = ("images", "replicas")
"""Lists in which an entry takes the place of that of the same name."""


def collected(source: Path, folder: str, known: Iterable[str]) -> Kustomization:
    """The kustomization that Flux makes of a folder without one.

    Args:
        source: the folder of the repository.
        folder: relative to it.
        known: the folders of kustomizations.
    """
    top = source / folder
    inner = set(known)
    found: list[str] = []
    for directory, folders, files in os.walk(top):
        here = posixpath.normpath(posixpath.join(folder, Path(directory).relative_to(top).as_posix()))
        if here in inner and here != folder:
            found.append(posixpath.relpath(here, folder))
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = sorted(name for name in files if name.endswith((".yaml", ".yml")))
        found += [posixpath.relpath(posixpath.join(here, name), folder) for name in names]
    uses = frozenset(below(folder, path) for path in found)
    return Kustomization(folder, is_component=False, uses=uses, value={"resources": found})


def merged(value: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """What a kustomization says, with what an object of Flux or Argo CD adds to it."""
    found = dict(value)
    for field, item in added.items():
        held = found.get(field)
        if field in _BY_NAME and type(held) is list:
            names = {each.get("name") for each in item if type(each) is dict}
            kept = [each for each in held if type(each) is not dict or each.get("name") not in names]
            found[field] = [*kept, *item]
        elif type(item) is list and type(held) is list:
            found[field] = [*held, *item]
        elif type(item) is dict and type(held) is dict:
            found[field] = {**held, **item}
        else:
            found[field] = item
    return found


class Renderings:
    """What kustomize makes of the folders of a source; a copy of it is made once something is added to a folder.

    Args:
        command: the program, as `find_command` gives it.
        source: the folder of the project.
        known: its kustomizations; those without a file are made of a folder.
    """

    def __init__(self, command: Sequence[str], source: Path, known: Mapping[str, Kustomization]) -> None:
        self._command = command
        self._source = source
        self._known = known
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()

    def elsewhere(self, source: Path, read: Callable[[Path], Mapping[str, Kustomization]]) -> Renderings:
        """The same of a copy of the source, whose kustomizations say something else.

        Args:
            source: the copy.
            read: gives its kustomizations.
        """
        collected_ones = {folder: each for folder, each in self._known.items() if not each.file}
        return Renderings(self._command, source, {**read(source), **collected_ones})

    def of(self, folder: str, problems: Problems, added: Mapping[str, Any] | None = None) -> list[Existing]:
        """The objects of a folder's kustomization.

        Args:
            folder: relative to the source.
            problems: gets what is no object.
            added: fields that Flux or Argo CD writes into it.

        Raises:
            EnvcError: it cannot be built, with kustomize's own words.
            UnavailableError: the program cannot be run, or does not end.
        """
        known = self._known.get(folder, Kustomization(folder, is_component=False, uses=frozenset()))
        is_collected = not known.file and bool(known.value)
        # Of a file that is no YAML kustomize tells itself what is wrong.
        if not is_collected and not (added and known.value):
            return render(self._command, self._source, folder, problems)
        copy = self._copy()
        file = known.file or posixpath.join(folder, FILENAMES[0])
        value = merged(known.value, added or {})
        before = (self._source / file).read_bytes() if (self._source / file).is_file() else None
        try:
            write_below(copy, file, yamlio.dump(value).encode())
            return render(self._command, self._source, folder, problems, place=copy)
        finally:
            if before is not None:
                write_below(copy, file, before)
            else:
                (copy / file).unlink(missing_ok=True)

    def _copy(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="envc-kustomize-")
            shutil.copytree(
                self._source,
                Path(self._scratch.name, "source"),
                ignore=shutil.ignore_patterns(".git"),
                symlinks=True,
                ignore_dangling_symlinks=True,
            )
        return Path(self._scratch.name, "source")
