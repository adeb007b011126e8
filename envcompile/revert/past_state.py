"""The sources of a recorded commit, where git still holds it: what it says better than its output does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import EnvcError
from envcompile.revert.plan_settings import settings_of
from envcompile.sources.project import ENVIRONMENT_FILE, SEALED_FILE

if TYPE_CHECKING:
    from envcompile.git.repository import Repository
    from envcompile.git.trees import CommitTree
    from envcompile.model import ResourceId
    from envcompile.revert.draft_tree import Value
    from envcompile.secrets.store import Store
    from envcompile.units.project import CompiledEnvironment


class Then:
    """One environment at a commit; everything is empty when git does not hold the commit any more.

    Args:
        repository: where the commit may be.
        commit: its hash.
        environment: the environment.
    """

    def __init__(self, repository: Repository, commit: str, environment: str) -> None:
        self._environment = environment
        self._tree: CommitTree | None = repository.commit_tree(commit) if repository.has(commit) else None
        self._built: list[CompiledEnvironment | None] = []

    def close(self) -> None:
        """Let go of git."""
        if self._tree is not None:
            self._tree.close()

    def settings(self) -> Value:
        """What the environment's own environment.yaml said."""
        path = f"overlays/{self._environment}/{ENVIRONMENT_FILE}"
        if self._tree is None or not self._tree.is_file(path):
            return {}
        try:
            return settings_of(self._tree.read(path).decode(), path)
        except (EnvcError, UnicodeDecodeError):
            return {}

    def files(self) -> dict[str, bytes]:
        """The files of the environment's overlay, without its settings and sealed values."""
        folder = f"overlays/{self._environment}"
        own = {f"{folder}/{name}" for name in (ENVIRONMENT_FILE, SEALED_FILE)}
        if self._tree is None:
            return {}
        return {entry.path: self._tree.read(entry.path) for entry in self._tree.files(folder) if entry.path not in own}

    def store(self) -> Store | None:
        """The sealed values of all of the environment's layers."""
        from envcompile.secrets import store_of
        from envcompile.sources import read_project

        try:
            files = read_project(self._tree).sealed_files(self._environment) if self._tree is not None else ()
            return store_of(self._environment, files) if files else None
        except (EnvcError, KeyError):
            return None

    def declared(self, identity: ResourceId) -> Value | None:
        """The Secret, with its references, that a sealed resource was declared as."""
        for resource in self._resources():
            if resource.id == identity:
                found = next((step.before for step in resource.steps if step.within == ("secretBackend",)), None)
                return found if found is not None else None
        return None

    def laid(self, identity: ResourceId) -> Value | None:
        """A resource as the documents made it, before the environment's settings."""
        for resource in self._resources():
            if resource.id == identity:
                value: Any = resource.steps[0].after
                for step in resource.steps:
                    if step.role not in {"setting", "derived"}:
                        value = step.after
                return None if resource.steps[0].role == "derived" else value
        return None

    def _resources(self) -> Any:
        if not self._built:
            self._built.append(self._compile())
        built = self._built[0]
        return built.compiled.resources if built is not None else ()

    def _compile(self) -> CompiledEnvironment | None:
        from envcompile.units.project import Project

        try:
            return Project(self._tree).compile_with_sources(self._environment) if self._tree is not None else None
        except EnvcError:
            return None
