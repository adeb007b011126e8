"""A repository and what can be compiled from it: the Python interface that the command line uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.sealing import replace_secrets
from envcompile.compose.assemble import compose
from envcompile.compose.rollout import with_rollout
from envcompile.compose.waves import with_sync_waves
from envcompile.errors import fail
from envcompile.kubernetes import MergeKeyError, UnknownVersionError
from envcompile.kubernetes import load as load_api
from envcompile.model import Compiled
from envcompile.yamlio.places import exact_place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile import settings
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Composition, Location, Pointer, Resource
    from envcompile.sources import EnvironmentSources, ParsedFiles, ProjectSources, Tree


class ComposedEnvironment(NamedTuple):
    """One environment after merging, with what it was made from; its Secrets may still hold plaintext."""

    sources: EnvironmentSources
    composition: Composition
    api: KubeApi
    warnings: tuple[str, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The merged resources."""
        return self.composition.resources


class CompiledEnvironment(NamedTuple):
    """One compiled environment with what it was made from."""

    compiled: Compiled
    composed: ComposedEnvironment


class Project:
    """A repository with `base/` and `overlays/`.

    `Project.open(path)` finds it from any folder inside; `compile(environment)` gives the resources.
    """

    def __init__(self, tree: Tree, *, partial: bool = False) -> None:
        from envcompile.sources import new_parsed_files, read_project

        self.tree = tree
        self._partial = partial
        self._sources: ProjectSources = read_project(tree)
        self._parsed: ParsedFiles = new_parsed_files()
        self._apis: dict[tuple[str, tuple[int, ...]], KubeApi] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str] = ".") -> Project:
        """The project that a folder belongs to.

        Raises:
            UsageError: neither the folder nor one above it holds `base/` and `overlays/` or an `envc.yaml`.
        """
        from envcompile.sources import WorkingTree, find_root

        start = Path(os.path.abspath(path))  # ruff: ignore[os-path-abspath] - a symlinked folder belongs to the project it is seen in
        return cls(WorkingTree(find_root(start)))

    @property
    def root(self) -> Path:
        """The top folder of the repository."""
        root = self.tree.root
        if root is None:
            raise ValueError("this project is a commit, not a folder")
        return root

    @property
    def settings(self) -> settings.Project:
        """What `envc.yaml` says."""
        return self._sources.settings

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments in their promotion order."""
        return self._sources.environments

    def choose(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """The environments that the user names; all of them when none is named.

        Raises:
            UsageError: one of the names is no environment.
        """
        return self._sources.choose(tuple(wanted))

    def compile(self, environment: str) -> Compiled:
        """Compile one environment.

        Raises:
            EnvcError: everything that is wrong with its sources.
        """
        return self.compile_with_sources(environment).compiled

    def compile_with_sources(self, environment: str) -> CompiledEnvironment:
        """Compile one environment and keep what it was made from.

        Raises:
            EnvcError: everything that is wrong with its sources.
        """
        composed = self.compose(environment)
        resources, warnings = replace_secrets(composed, self._sources)
        composed = composed._replace(warnings=warnings)
        mode = composed.sources.settings.rollout or "none"
        finished = with_rollout(resources, mode, f"overlays/{environment}")
        if composed.sources.settings.sync_waves:
            finished = with_sync_waves(finished, f"overlays/{environment}")
        plaintext = composed.sources.settings.secret_backend == "plaintext"
        compiled = Compiled(environment, composed.composition.namespace, finished, plaintext_allowed=plaintext)
        return CompiledEnvironment(compiled, composed)

    def compose(self, environment: str) -> ComposedEnvironment:
        """Merge one environment's layers; secrets stay as they are written.

        Raises:
            EnvcError: everything that is wrong with its sources.
        """
        from envcompile.sources import read_environment

        sources = read_environment(self._sources, environment, self._parsed)
        api = self._api_for(sources)
        mode = sources.settings.config_merge or self.settings.config_merge
        composed = compose(sources, api, merge_texts=mode == "merge", partial=self._partial)
        return ComposedEnvironment(sources, composed.composition, api, composed.warnings)

    def crd_files(self) -> frozenset[str]:
        """The files that `crds:` of envc.yaml names."""
        found = set()
        for path in self.settings.crds:
            below = [entry.path for entry in self.tree.files(path)]
            found.update(below or [path])
        return frozenset(found)

    def _api_for(self, sources: EnvironmentSources) -> KubeApi:
        """What the environment's Kubernetes version and the CRDs at hand say."""
        version = sources.settings.kubernetes_version or self.settings.kubernetes_version
        crds = [
            document.value
            for layer in sources.layers
            for document in layer.documents
            if document.value.get("kind") == "CustomResourceDefinition"
        ]
        key = (version, tuple(id(crd) for crd in crds))
        known = self._apis.get(key)
        if known is None:
            known = self._apis[key] = self._load_api(version, crds, sources)
        return known

    def _where_in_project(self, pointer: Pointer) -> Location | None:
        document = self._sources.document
        return exact_place(document, pointer) if document is not None else None

    def _load_api(self, version: str, crds: list[Any], sources: EnvironmentSources) -> KubeApi:
        try:
            api = load_api(version)
        except UnknownVersionError as error:
            location = sources.where(("kubernetesVersion",)) or self._where_in_project(("kubernetesVersion",))
            raise fail(
                f"Kubernetes {version} is not known to this version of envc",
                f"write one of {', '.join(error.known)}, or upgrade envc",
                *([location] if location else []),
            ) from error
        try:
            return api.with_crds([*self._sources.crd_documents(self._parsed), *crds]).with_merge_keys(
                self.settings.merge_keys
            )
        except MergeKeyError as error:
            position = self.settings.merge_keys.index(error.rule)
            location = self._where_in_project(("mergeKeys", position))
            raise fail(str(error), "correct or remove the entry", *([location] if location else [])) from error
