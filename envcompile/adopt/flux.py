"""What Kustomizations of Flux mean: whether their source is this repository, and which variables they fill in.

Source: kustomize.toolkit.fluxcd.io/v1 (`spec.sourceRef`, `spec.postBuild`); `flux bootstrap` calls the source of the
repository itself `flux-system`.
"""

from __future__ import annotations

import base64
import binascii
import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.envsubst import Variables
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.adopt.existing import Value

GROUP: Final = "kustomize.toolkit.fluxcd.io"
_BOOTSTRAP: Final = "flux-system"
_SOURCES: Final = frozenset({"GitRepository", "OCIRepository", "Bucket"})
_HOLDERS: Final = (b"ConfigMap", b"Secret")


class Found(NamedTuple):
    """An object of the repository and the file it stands in, relative to the source."""

    file: str
    value: Value

    @property
    def folder(self) -> str:
        """That of its file."""
        return posixpath.dirname(self.file)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.value["metadata"].get("name") or "")

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its `spec`; empty where it has none."""
        spec = self.value.get("spec")
        return spec if type(spec) is dict else {}


def read_objects(source: Path, words: Iterable[bytes]) -> Iterator[Found]:
    """The objects in those files of a folder that hold one of some words; what is no YAML is left out.

    Args:
        source: the folder.
        words: what a file has to hold to be read.
    """
    wanted = tuple(words)
    for directory, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(directory, name)
            if path.suffix not in {".yaml", ".yml"}:
                continue
            try:
                data = path.read_bytes()
                if not any(word in data for word in wanted):
                    continue
                values = yamlio.load_all(data, path.as_posix())
            except (OSError, EnvcError):
                # A template, or broken: whoever uses the file is told.
                continue
            for value in values:
                if (
                    type(value) is dict
                    and type(value.get("kind")) is str
                    and type(value.get("apiVersion")) is str
                    and type(value.get("metadata")) is dict
                ):
                    yield Found(path.relative_to(source).as_posix(), value)


def is_of_flux(found: Found) -> bool:
    """Whether an object is a Kustomization of Flux."""
    return found.value["kind"] == "Kustomization" and str(found.value["apiVersion"]).startswith(f"{GROUP}/")


class FluxTree:
    """What the objects of Flux in a repository tell together.

    Args:
        source: the folder of the repository.
        objects: those of Flux in it.
    """

    def __init__(self, source: Path, objects: Sequence[Found]) -> None:
        self._source = source
        kustomizations = [each for each in objects if is_of_flux(each)]
        self._named = {each.name for each in kustomizations if each.spec.get("sourceRef")}
        self._urls: dict[str, set[tuple[str, str]]] = {}
        for each in objects:
            if each.value["kind"] in _SOURCES:
                reference = yamlio.dump(each.spec.get("ref") or {})
                self._urls.setdefault(each.name, set()).add((str(each.spec.get("url")), reference))
        # An object that applies the folder it stands in comes from the source of the repository itself.
        entries = {_source_of(each) for each in kustomizations if _is_entry(each)} - {""}
        names = {_source_of(each) for each in kustomizations}
        self._own = entries or ({_BOOTSTRAP} & names)
        self._holders: list[Found] | None = None

    def is_patch(self, found: Found) -> bool:
        """Whether a Kustomization only says something more of another one, in an overlay."""
        return not found.spec.get("sourceRef") and found.name in self._named

    def is_elsewhere(self, found: Found) -> bool:
        """Whether the source of a Kustomization is another repository, or another branch of this one."""
        reference = found.spec.get("sourceRef")
        name = _source_of(found)
        if not self._own or name in self._own or name not in self._urls or type(reference) is not dict:
            return False
        own = set[tuple[str, str]]().union(*(self._urls.get(each, set()) for each in self._own))
        return not own & self._urls[name]

    def variables(self, found: Found, environment: str) -> Variables | None:
        """The variables that a Kustomization fills in; None where it fills in nothing.

        Args:
            found: the Kustomization.
            environment: the word that tells its environment in paths.
        """
        post = found.spec.get("postBuild")
        if type(post) is not dict:
            return None
        values: dict[str, str] = {}
        unknown: list[str] = []
        for reference in post.get("substituteFrom") or ():
            if type(reference) is not dict:
                continue
            kind, holder = str(reference.get("kind")), str(reference.get("name"))
            held = self.held(kind, holder, found, environment)
            if held is not None:
                values |= held
            else:
                unknown.append(f"{kind}/{holder}")
        inline = post.get("substitute")
        for key, text in (inline if type(inline) is dict else {}).items():
            values[str(key)] = text if type(text) is str else yamlio.dump(text).strip()
        return Variables({name: text.replace("\n", "") for name, text in values.items()}, tuple(unknown))

    def held(self, kind: str, name: str, asker: Found, environment: str) -> dict[str, str] | None:
        """What a ConfigMap or Secret of the repository holds; None where it has none, or several that differ.

        Args:
            kind: `ConfigMap` or `Secret`.
            name: its name.
            asker: the object that names it; what lies nearest to it counts.
            environment: the word that tells its environment in paths.
        """
        if self._holders is None:
            written = (each for each in read_objects(self._source, _HOLDERS) if each.value["kind"] in _KINDS)
            self._holders = [*written, *self._generated()]
        named = [each for each in self._holders if each.value["kind"] == kind and each.name == name]
        near = [each for each in named if environment in each.file.split("/")] or named
        most = max((_nearness(each.file, asker.file) for each in near), default=0)
        found = [_entries(each.value) for each in near if _nearness(each.file, asker.file) == most]
        return found[0] if found and all(each == found[0] for each in found) else None

    def _generated(self) -> Iterator[Found]:
        """What generators of kustomizations make under the names that they say, with what others merge into it."""
        from envcompile.adopt.generators import as_said, read_generators
        from envcompile.adopt.kustomization_files import find_kustomizations, in_order

        known = find_kustomizations(self._source)
        for folder, kustomization in known.items():
            made: dict[tuple[str, str], Value] = {}
            for each in in_order([folder], known):
                for generator in read_generators(self._source, each):
                    value = as_said(generator, generator.name)
                    if value is None:
                        continue
                    before = made.get((generator.kind, generator.name)) if generator.behavior == "merge" else None
                    made[generator.kind, generator.name] = _laid(before, value)
            for value in made.values():
                yield Found(kustomization.file, value)


_KINDS: Final = frozenset(word.decode() for word in _HOLDERS)


def _laid(below: Value | None, value: Value) -> Value:
    """An object with the entries of another one that is laid over it."""
    entries = {key: {**((below or {}).get(key) or {}), **(value.get(key) or {})} for key in ("data", "stringData")}
    return {**value, **entries}


def _source_of(found: Found) -> str:
    reference = found.spec.get("sourceRef")
    return str(reference.get("name")) if type(reference) is dict else ""


def _is_entry(found: Found) -> bool:
    path = posixpath.normpath(str(found.spec.get("path") or "."))
    return found.folder == path or found.folder.startswith(f"{path}/")


def _nearness(path: str, other: str) -> int:
    return len(posixpath.commonprefix([path.split("/"), other.split("/")]))


def _entries(value: Value) -> dict[str, str] | None:
    """The entries of a ConfigMap or Secret in clear; None for one that is encrypted, or none."""
    if "sops" in value:
        return None
    found: dict[str, str] = {}
    for key, item in (value.get("data") or {}).items():
        if value["kind"] == "ConfigMap":
            found[str(key)] = str(item)
            continue
        try:
            found[str(key)] = base64.b64decode(str(item), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
    return found | {str(key): str(item) for key, item in (value.get("stringData") or {}).items()}
