"""The sources of a recorded commit, where git still holds it: what it says better than its output does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import EnvcError
from envcompile.revert.plan_settings import settings_of
from envcompile.sources.project import ENVIRONMENT_FILE, SEALED_FILE

if TYPE_CHECKING:
    from envcompile.actions.at_commit import AtCommit
    from envcompile.model import ResourceId
    from envcompile.revert.draft_tree import Value
    from envcompile.secrets.store import Store


class Then:
    """What the sources of a recorded commit say of one environment; nothing when git does not hold them any more.

    Args:
        at: the environment at the commit.
    """

    def __init__(self, at: AtCommit) -> None:
        self._at = at
        self._environment = at.environment
        self._tree = at.tree

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

        sources = self._at.sources()
        try:
            files = sources.sealed_files(self._environment) if sources is not None else ()
            return store_of(self._environment, files) if files else None
        except (EnvcError, KeyError):
            return None

    def declared(self, identity: ResourceId) -> Value | None:
        """The Secret, with its references, that a sealed resource was declared as."""
        resource = self._at.resource(identity)
        if resource is None:
            return None
        found: Value | None = next((step.before for step in resource.steps if step.within == ("secretBackend",)), None)
        return found

    def laid(self, identity: ResourceId) -> Value | None:
        """A resource as the documents made it, before the environment's settings."""
        resource = self._at.resource(identity)
        if resource is None or resource.steps[0].role == "derived":
            return None
        value: Value = resource.steps[0].after
        for step in resource.steps:
            if step.role not in {"setting", "derived"}:
                value = step.after
        return value
