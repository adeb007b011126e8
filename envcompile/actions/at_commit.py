"""One environment as the sources of a commit make it, where git still holds it: its resources, and who set a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.provenance import explain, explain_text
from envcompile.errors import EnvcError
from envcompile.git.identity import readable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from envcompile.git.repository import Repository
    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Resource, ResourceId
    from envcompile.sources import EnvironmentSources, ProjectSources
    from envcompile.units.environment import LinkedEnvironment


class AtCommit:
    """One environment at a commit; everything is empty when git does not hold the commit any more.

    To be used in a `with` statement, which lets go of git at its end.

    Args:
        repository: where the commit may be.
        commit: its hash.
        environment: the environment.
    """

    def __init__(self, repository: Repository, commit: str, environment: str) -> None:
        self.environment = environment
        self.tree = repository.commit_tree(commit) if repository.has(commit) else None
        """The commit's files."""
        self._folder = repository.top / repository.prefix
        self._linked: list[LinkedEnvironment | None] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.tree is not None:
            self.tree.close()

    def sources(self) -> ProjectSources | None:
        """The project's settings; None when they cannot be read. No resource is read for it."""
        from envcompile.sources import read_project

        try:
            return read_project(self.tree) if self.tree is not None else None
        except EnvcError:
            return None

    def resource(self, identity: ResourceId) -> Resource | None:
        """A resource as it was compiled; None when there was none, or the environment did not compile."""
        linked = self._link()
        return linked.resource(identity) if linked is not None and identity in linked.ids() else None

    def places(self, identity: ResourceId, fields: Iterable[FieldPath]) -> dict[FieldPath, str]:
        """The file and line that set each field of a resource; empty where that is not known."""
        linked, resource = self._link(), self._named(identity)
        if linked is None or resource is None:
            return {}
        return {path: place_of(resource, path, linked.plan.api, linked.plan.sources) for path in fields}

    def key_places(self, identity: ResourceId, path: FieldPath, keys: Iterable[str]) -> dict[str, str]:
        """The file and line that set each key of a configuration file in a field; none where that is not known."""
        linked, resource = self._link(), self._named(identity)
        places: dict[str, str] = {}
        if linked is None or resource is None:
            return places
        for key in keys:
            origin = explain_text(resource, path, key, linked.plan.sources.where)
            winner = next((say for say in origin.says if say.wins), None) if origin is not None else None
            if winner is not None and winner.place is not None:
                places[key] = readable(str(winner.place))
        return places

    def _named(self, identity: ResourceId) -> Resource | None:
        """A resource, in whichever namespace it was then; None where several are called so."""
        linked = self._link()
        if linked is None or identity in linked.ids():
            return self.resource(identity)
        wanted = (identity.group, identity.kind, identity.name)
        same = [one for one in linked.ids() if (one.group, one.kind, one.name) == wanted]
        return self.resource(same[0]) if len(same) == 1 else None

    def _link(self) -> LinkedEnvironment | None:
        from envcompile.units.project import Project

        if not self._linked:
            try:
                tree = self.tree
                project = Project.of_tree(tree, self._folder, tree.limits) if tree is not None else None
                found = project.link(self.environment) if project is not None else None
            except EnvcError:
                found = None
            self._linked.append(found)
        return self._linked[0]


def place_of(resource: Resource, path: FieldPath, api: KubeApi, sources: EnvironmentSources) -> str:
    """The file and line that set a field; empty where none does."""
    origins = explain(resource, path, api, sources.where)
    winners = [say.place for origin in origins for say in origin.says if say.wins and say.place is not None]
    return readable(str(winners[0])) if winners else ""
