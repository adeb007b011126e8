"""What was known of kinds when a commit was recorded: of its Kubernetes version, its settings and its CRDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.at_commit import AtCommit
from envcompile.errors import EnvcError
from envcompile.history.between import has_kind

if TYPE_CHECKING:
    from typing import Self

    from envcompile.actions.past import Past
    from envcompile.history.store import Revision
    from envcompile.kubernetes import KubeApi
    from envcompile.sources import ProjectSources

_DEFINITION = "CustomResourceDefinition"


def api_at(past: Past, revision: Revision) -> KubeApi:
    """What was known of kinds at a revision: of its Kubernetes version, and of the CRDs among its resources.

    The version, `mergeKeys` and `crds` are read from the commit where git still holds it; else they are the defaults.
    """
    with KindsAt(past, revision.commit) as kinds:
        return kinds.api(revision)


class _Said(NamedTuple):
    version: str
    merge_keys: tuple[Any, ...]
    definitions: tuple[Any, ...]


class KindsAt:
    """What was known of kinds at a commit, in each of its environments; to be used in a `with` statement.

    Args:
        past: the history.
        commit: the commit, whose settings are read once, when somebody asks.
    """

    def __init__(self, past: Past, commit: str) -> None:
        self._past = past
        self._commit = commit
        self._then: AtCommit | None = None
        self._sources: ProjectSources | None = None
        self._known: dict[int, KubeApi] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._then is not None:
            self._then.__exit__()

    def api(self, revision: Revision) -> KubeApi:
        """What was known of kinds at a revision of the commit."""
        if revision.id not in self._known:
            self._known[revision.id] = self._api(revision)
        return self._known[revision.id]

    def _api(self, revision: Revision) -> KubeApi:
        from envcompile.kubernetes import MergeKeyError, UnknownVersionError, load
        from envcompile.settings import DEFAULT_KUBERNETES_VERSION

        store = self._past.store
        documents = []
        if has_kind(store.database, revision.environment, _DEFINITION):
            state = store.state(revision.id)
            crds = [held.content for identity, held in state.items() if identity.kind == _DEFINITION]
            documents = list(store.values(crds).values())
        said = self._said(revision.environment)
        try:
            api = load(said.version)
        except UnknownVersionError:
            api = load(DEFAULT_KUBERNETES_VERSION)
        api = api.with_crds([*said.definitions, *documents])
        try:
            return api.with_merge_keys(said.merge_keys)
        except MergeKeyError:
            return api

    def _said(self, environment: str) -> _Said:
        """What the settings of the commit say of kinds; only settings are read, no resource."""
        from envcompile.settings import DEFAULT_KUBERNETES_VERSION
        from envcompile.sources import new_parsed_files
        from envcompile.sources.layers import EffectiveSettings

        if self._then is None:
            self._then = AtCommit(self._past.repository, self._commit, environment)
            self._sources = self._then.sources()
        sources = self._sources
        if sources is None:
            return _Said(DEFAULT_KUBERNETES_VERSION, (), ())
        layers = sources.layers.get(environment, ())
        try:
            own = EffectiveSettings(tuple(sources.overlays[layer] for layer in layers)).settings if layers else None
            return _Said(
                (own.kubernetes_version if own is not None else None) or sources.settings.kubernetes_version,
                sources.settings.merge_keys,
                sources.crd_documents(new_parsed_files()),
            )
        except EnvcError:
            return _Said(DEFAULT_KUBERNETES_VERSION, (), ())
