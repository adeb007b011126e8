"""What Argo CD has to say of an environment's differences: its Applications, and the settings in `argocd-cm`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cluster.answers import ApiError
from envcompile.cluster.drift.argosettings import IN_CLUSTER, NAME, TRACKING, ArgoSettings, settings_of
from envcompile.cluster.drift.ignores import ignores_of, servers_of, sources_of
from envcompile.errors import EnvcError
from envcompile.kubernetes.clustermade import map_at
from envcompile.yamlio import load_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.cluster.client import Cluster
    from envcompile.cluster.drift.ignores import Ignore
    from envcompile.units.project import CompiledEnvironment, Project

    Value = dict[str, Any]

_KINDS: Final = frozenset({"Application", "ApplicationSet"})
_WORDS: Final = (b"ignoreDifferences", NAME.encode())
_HOME: Final = "argocd"
"""The namespace that Argo CD's own manifests are made for."""
_MANAGER: Final = "argocd-controller"
MOST_BYTES: Final = 4_000_000
"""Of a file that is looked into."""


class ArgoCd(NamedTuple):
    """What Argo CD says of an environment."""

    ignores: tuple[Ignore, ...]
    """Of the Applications first, then of the settings."""
    settings: ArgoSettings


def argo_for(project: Project, built: CompiledEnvironment, cluster: Cluster, lives: Sequence[Value | None]) -> ArgoCd:
    """The Applications that read the environment's folder, and the settings of the Argo CD that runs them.

    Applications are looked for among the compiled resources of the environment, and in YAML files anywhere in the
    repository; one whose path holds a parameter of an ApplicationSet counts for every environment. What the repository
    says of the settings goes before what the cluster has: whoever edits them there must not hide what he edits.

    Args:
        project: the sources.
        built: the environment.
        cluster: the connection to its cluster.
        lives: the live objects of the environment, None for those that are missing.
    """
    environment = built.compiled.environment
    documents = [resource.value for resource in built.compiled.resources]
    settings = [value for value in documents if _is_settings(value)]
    written = list(_written(project))
    applications = [
        value
        for value in (*documents, *written)
        if _is_application(value) and any(_reads(path, environment) for path in sources_of(value))
    ]
    ignores = [entry for value in applications for entry in ignores_of(value)]
    servers = {cluster.access.server, *(server for value in applications for server in servers_of(value))}
    found = _settings(settings or [value for value in written if _is_settings(value)], "the repository")
    if found is None and (applications or any(is_argos(live) for live in lives if live is not None)):
        live = _live_settings(cluster)
        found = _settings([live] if live is not None else [], "the cluster")
        servers |= {IN_CLUSTER} if live is not None else set()
    known = (found or ArgoSettings())._replace(servers=tuple(sorted(servers)))
    return ArgoCd(tuple(dict.fromkeys((*ignores, *known.ignores))), known)


def _settings(documents: Sequence[Value], whose: str) -> ArgoSettings | None:
    """The settings of one ConfigMap; of several, as of base and overlay, what the last one says goes before."""
    data: Value = {}
    for value in documents:
        data |= map_at(value, "data")
    return settings_of(data, place=f"{NAME} of {whose}") if documents else None


def _live_settings(cluster: Cluster) -> Value | None:
    """The ConfigMap in the cluster, wherever Argo CD runs; None where there is none, or it may not be read."""
    kind = cluster.discover().of("v1", "ConfigMap")
    if kind is None:
        return None
    try:
        found = cluster.objects(kind, fields=f"metadata.name={NAME}").items
    except ApiError as error:
        if error.status != 403:
            raise
    else:
        return next((value for value in found if _is_settings(value)), None)
    try:
        return cluster.get(kind, NAME, _HOME)
    except ApiError as error:
        if error.status != 403:
            raise
        return None


def is_argos(live: Value) -> bool:
    """Whether Argo CD applies a live object."""
    if TRACKING in map_at(live, "metadata", "annotations"):
        return True
    entries = map_at(live, "metadata").get("managedFields")
    return any(isinstance(one, dict) and one.get("manager") == _MANAGER for one in entries or ())


def _is_settings(value: Any) -> bool:
    return (
        isinstance(value, dict) and value.get("kind") == "ConfigMap" and map_at(value, "metadata").get("name") == NAME
    )


def _is_application(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("kind") in _KINDS
        and str(value.get("apiVersion", "")).startswith("argoproj.io/")
    )


def _reads(path: str, environment: str) -> bool:
    """Whether a folder is an environment's, or one within it; the project may lie deeper in the repository."""
    way = f"/{path.strip('/')}/"
    return "{{" in path or f"/environments/{environment}/" in way


def _written(project: Project) -> Iterator[Any]:
    """The documents of YAML files that say something of differences, or are the settings."""
    tree = project.tree
    for entry in tree.files(""):
        path = entry.path
        if not path.endswith((".yaml", ".yml")) or path.startswith(("environments/", ".envc/")):
            continue
        data = tree.read(path)
        if len(data) > MOST_BYTES or not any(word in data for word in _WORDS):
            continue
        try:
            yield from load_all(data, path)
        except EnvcError:
            continue
