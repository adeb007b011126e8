"""Where everything in an environment is from: layer, place and overridden values of every field, and since when."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from envcompile.actions.blame import EnvironmentBlame
from envcompile.actions.explain import without_secrets
from envcompile.ask.ownwords import own_words
from envcompile.ask.redact import REDACTED, hides
from envcompile.compose import configtext
from envcompile.compose.provenance import REMOVED, explain, explain_texts
from envcompile.errors import UsageError
from envcompile.kubernetes.fieldpath import Item
from envcompile.sources.params import resolved_params
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from envcompile.actions.past import Past
    from envcompile.ask.ownwords import OwnWords
    from envcompile.compose.provenance import FieldOrigin, Say
    from envcompile.git.repository import Commit
    from envcompile.history.blame import Blamed
    from envcompile.history.store import Revision
    from envcompile.kubernetes import KubeApi, Node
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Location, Resource, ResourceId
    from envcompile.settings import Environment
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project

LayerKind = Literal["base", "shared", "own", "settings", "derived"]
"""Whose a value is: of `base`, of an overlay that several environments extend, of the environment's own overlay, of an
environment.yaml, or of envc itself."""

SETTINGS: Final = "settings"
DERIVED: Final = "derived"


class Layer(NamedTuple):
    """A layer as people call it: its folder's name, `settings` for an environment.yaml, `derived` for envc."""

    name: str
    kind: LayerKind


class Since(NamedTuple):
    """The commit that gave a field its value.

    `how` is `changed`, `added` (the field) or `created` (the resource); `old` is the JSON of the value before, empty
    where there was none. `or_before` means that earlier commits are not recorded.
    """

    commit: str
    how: str
    old: str
    or_before: bool


class Origin(NamedTuple):
    """One field of a resource, or one key (`FIELD#KEY`) of a configuration file in it.

    `since` is None where the history does not know, or `is_uncommitted`: the value is not the commit's.
    `layer` and `place` are of the say that counts, but of the first one where later ones only repeat what identifies
    the resource or an item of a list. A value that is secret is never here: `<redacted>` stands for it.
    """

    field: str
    path: FieldPath
    key: str
    value: Any
    layer: Layer
    place: Location | None
    says: tuple[Say, ...]
    since: Since | None
    is_uncommitted: bool

    @property
    def is_removed(self) -> bool:
        """Whether a layer took the field away: it is not in the compiled resource."""
        return isinstance(self.value, str) and self.value == REMOVED

    @property
    def overridden(self) -> tuple[Say, ...]:
        """Who said something else before, first to last."""
        return tuple(
            say for say in self.says if not say.wins and say.value != REMOVED and not same(say.value, self.value)
        )


class ResourceOrigins(NamedTuple):
    """A resource of an environment with the origin of its every field; secrets are hidden in its value, too.

    Value and fields are empty where they were not asked for.
    """

    id: ResourceId
    app: str
    value: dict[str, Any]
    fields: tuple[Origin, ...]


class EnvironmentOrigins(NamedTuple):
    """An environment with the origins of everything in it.

    `words` are what the environment calls its own, `settings` (`labels.KEY`, `rollout` …) what it does to every
    resource. `commit` is the recorded commit that `since` looks at, empty where the history does not know it: then
    `unknown` says why. `commits` holds the facts of every commit that is named, by hash.
    """

    environment: str
    namespace: str
    words: OwnWords
    settings: Mapping[str, str]
    resources: tuple[ResourceOrigins, ...]
    commit: str
    commits: Mapping[str, Commit]
    unknown: str


def environment_origins(
    project: Project,
    environment: str,
    past: Past | None = None,
    revision: str = "HEAD",
    *,
    only: ResourceId | None = None,
    explained: Collection[ResourceId] | None = None,
    known: Mapping[ResourceId, ResourceOrigins] = MappingProxyType({}),
) -> EnvironmentOrigins:
    """Explain and blame every field of an environment in one pass.

    Args:
        project: the repository, or a commit of it.
        environment: its name.
        past: the history; without it no field has a `since`.
        revision: the commit that the project stands on: a value that is not this commit's is not committed.
        only: this resource; all of them when left out.
        explained: the resources whose fields are wanted, others are there without; all of them when left out.
        known: the origins of resources that are as they were, with the same history.

    Raises:
        UsageError: no such environment.
        EnvcError: its sources are wrong.
        UnavailableError: the database does not answer.
    """
    (name,) = project.choose([environment])
    linked = project.link(name)
    at, unknown = _known(past, name, revision)
    chosen = linked.resources() if only is None else [linked.resource(only)]
    recorded: _Recorded | None = None
    found: list[ResourceOrigins] = []
    for resource in chosen:
        if explained is not None and resource.id not in explained:
            found.append(ResourceOrigins(resource.id, resource.app, {}, ()))
        elif resource.id in known:
            found.append(known[resource.id])
        else:
            if recorded is None and past is not None and at is not None:
                recorded = _Recorded(past, at, only)
            found.append(_resource(linked, resource, recorded))
    resources = tuple(found)
    commits = _commits(past, resources) if past is not None and at is not None else {}
    sources = linked.plan.sources
    words = own_words(name, linked.namespace, resolved_params(sources.settings.params, sources.where))
    commit = at.commit if at is not None else ""
    settings = _settings(sources.settings)
    return EnvironmentOrigins(name, linked.namespace, words, settings, resources, commit, commits, unknown)


def _settings(settings: Environment) -> dict[str, str]:
    """What the settings do to every resource and pod, by the name of the setting."""
    labels = {
        "labels": settings.labels,
        "annotations": settings.annotations,
        "selectorLabels": settings.selector_labels,
        "podLabels": settings.pod_labels,
        "podAnnotations": settings.pod_annotations,
    }
    found = {f"{name}.{key}": text for name, held in labels.items() for key, text in held.items()}
    if settings.rollout is not None:
        found["rollout"] = settings.rollout
    if settings.sync_waves is not None:
        found["syncWaves"] = "true" if settings.sync_waves else "false"
    return found


def layer_of(say: Say, environment: str) -> Layer:
    """The layer that a say is from."""
    if say.role == "setting":
        return Layer(SETTINGS, "settings")
    if say.role == "derived":
        return Layer(DERIVED, "derived")
    if say.layer == "base" or say.layer.startswith("base/"):
        return Layer("base", "base")
    name = say.layer.removeprefix("overlays/")
    return Layer(name, "own" if name == environment else "shared")


def text_fields(identity: ResourceId, value: Any) -> list[FieldPath]:
    """The entries of a ConfigMap that are configuration files."""
    if identity.kind != "ConfigMap" or identity.group:
        return []
    data = value.get("data")
    entries = data.items() if isinstance(data, dict) else ()
    return [
        ("data", name)
        for name, text in entries
        if isinstance(name, str) and isinstance(text, str) and configtext.format_of(name) is not None
    ]


def _known(past: Past | None, environment: str, revision: str) -> tuple[Revision | None, str]:
    """The recorded revision, or why there is none."""
    from envcompile.actions.past import revision_of

    if past is None:
        return None, "no history is recorded"
    try:
        return revision_of(past, environment, revision), ""
    except UsageError as error:
        return None, error.problems[0].what


class _Recorded:
    """What the history says of the fields of one environment."""

    def __init__(self, past: Past, at: Revision, only: ResourceId | None) -> None:
        self._blame = EnvironmentBlame(past, at, only)
        self._state = past.store.state(at.id)

    def fields(self, resource: Resource, node: Node | None) -> dict[tuple[FieldPath, str], Blamed]:
        """The last change of each field, and of each key of configuration files."""
        if resource.id not in self._state:
            return {}
        found = self._blame.fields(resource.id, node)
        for path in text_fields(resource.id, resource.value):
            found += self._blame.keys(resource.id, path)
        return {(blamed.path, blamed.key): blamed for blamed in found}


def _commits(past: Past, resources: Iterable[ResourceOrigins]) -> dict[str, Commit]:
    """The facts of every commit that fields name."""
    named = {origin.since.commit for one in resources for origin in one.fields if origin.since is not None}
    return past.store.commits(named)


def _resource(linked: LinkedEnvironment, resource: Resource, recorded: _Recorded | None) -> ResourceOrigins:
    from envcompile.ask.redact import redacted, shown

    api, where = linked.plan.api, linked.plan.sources.where
    node = node_of(resource, api)
    origins = explain(resource, (), api, where)
    for path in text_fields(resource.id, resource.value):
        origins += explain_texts(resource, path, where)
    blamed = recorded.fields(resource, node) if recorded is not None else None
    hidden = without_secrets(resource, origins)
    fields = _fields(resource, origins, hidden, linked.environment, blamed)
    return ResourceOrigins(resource.id, resource.app, shown(redacted(resource.id, resource.value)), tuple(fields))


_IDENTITY: Final = frozenset({("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")})


def _speaker(origin: FieldOrigin) -> Say | None:
    """Who a value is from: a patch repeats what identifies a resource, or an item of a list, to be understood."""
    winner = next((say for say in origin.says if say.wins), None)
    path = origin.path
    is_key = len(path) > 1 and isinstance(path[-2], Item) and any(path[-1] == key for key, _ in path[-2].keys)
    if origin.key or winner is None or not (is_key or path in _IDENTITY):
        return winner
    return next(say for say in origin.says if same(say.value, winner.value))


def node_of(resource: Resource, api: KubeApi) -> Node | None:
    """The schema of a resource's kind."""
    group, _, version = str(resource.value.get("apiVersion", "")).rpartition("/")
    return api.node(group, version, resource.id.kind)


def _fields(
    resource: Resource,
    origins: Sequence[FieldOrigin],
    hidden: Sequence[FieldOrigin],
    environment: str,
    blamed: Mapping[tuple[FieldPath, str], Blamed] | None,
) -> Iterator[Origin]:
    for exact, origin in zip(origins, hidden, strict=True):
        is_secret = hides(resource.id, origin.path)
        found = blamed.get((origin.path, origin.key)) if blamed is not None else None
        is_uncommitted, since = False, None
        if blamed is not None and exact.value != REMOVED:
            is_uncommitted = found is None or not (is_secret or same(found.value, exact.value))
            if found is not None and not is_uncommitted:
                old = "" if is_secret else found.old
                since = Since(found.commit, found.how, old, found.or_before)
        winner = _speaker(origin)
        says = tuple(say._replace(value=REDACTED) for say in origin.says) if is_secret else origin.says
        yield Origin(
            origin.field,
            origin.path,
            origin.key,
            REDACTED if is_secret else origin.value,
            layer_of(winner, environment) if winner is not None else Layer(DERIVED, "derived"),
            winner.place if winner is not None else None,
            says,
            since,
            is_uncommitted,
        )
