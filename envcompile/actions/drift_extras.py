"""Live objects that no environment wants any more, of those that the repository or its Argo CD once applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cluster.answers import ApiError
from envcompile.cluster.drift.compare import writers_of
from envcompile.errors import EnvcError
from envcompile.kubernetes.cleaner import is_owned
from envcompile.kubernetes.clustermade import made_by_cluster, map_at
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.actions.drift import LiveObject
    from envcompile.cluster.client import Cluster
    from envcompile.cluster.drift.argosettings import ArgoSettings
    from envcompile.cluster.kinds import ApiKind
    from envcompile.kubernetes.managedfields import Writer
    from envcompile.units.project import CompiledEnvironment, Project

METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""Lists are asked for without the objects' contents: Secrets' values never leave the server."""
_PASSING: Final = frozenset({"Event", "Pod", "Lease", "EndpointSlice", "Endpoints", "PodMetrics", "NodeMetrics"})
"""Kinds whose objects come and go by themselves."""
_OWN: Final = ("envc", "Apply")


class Extra(NamedTuple):
    """A live object that nobody wants."""

    resource: ResourceId
    writer: Writer | None
    why: str
    """Why it is taken for one of the repository."""


def extras_of(
    project: Project,
    built: CompiledEnvironment,
    cluster: Cluster,
    looked: Sequence[LiveObject],
    *,
    settings: ArgoSettings,
    everything: bool,
) -> tuple[list[Extra], list[str]]:
    """The objects that are there and not compiled, and what could not be looked at.

    Args:
        project: the sources: what another environment wants is not extra.
        built: the environment.
        cluster: the connection to its cluster.
        looked: the compiled objects with the live ones.
        settings: how Argo CD marks what it applies, and the kinds it does not look at.
        everything: objects of the environment's own namespace that nobody tracks count, too.
    """
    known = {(one.resource.id.group, one.resource.id.kind, one.namespace, one.resource.id.name) for one in looked}
    namespaces = sorted({one.namespace for one in looked if one.namespace and one.value is not None})
    tracking, own = _Tracking(built, looked, settings), built.compiled.namespace
    found, refused = [], []
    for kind in cluster.discover().kinds:
        if kind.kind in _PASSING or "list" not in kind.verbs or not settings.looks_at(kind.group, kind.kind):
            continue
        for namespace in namespaces if kind.namespaced else ("",):
            try:
                items = _listed(cluster, kind, namespace)
            except ApiError as error:
                if error.status == 403:
                    refused.append(kind.title)
                    continue
                if error.status in {404, 405}:
                    continue
                raise
            for item in items:
                identity = ResourceId(kind.group, kind.kind, namespace, str(map_at(item, "metadata").get("name")))
                if tuple(identity) in known or _is_made({**item, "apiVersion": kind.api_version, "kind": kind.kind}):
                    continue
                writers = writers_of(item)
                if writers and all(writer.is_cluster for writer in writers):
                    continue
                is_own = everything and bool(namespace) and namespace == own
                why = tracking.why(item, identity) or ("nobody tracks it" if is_own else "")
                if why:
                    found.append(Extra(identity, writers[-1] if writers else None, why))
    if found:
        theirs = _of_others(project, built.compiled.environment)
        found = [one for one in found if one.resource not in theirs]
    told = f"extra objects were not looked for among {_some(refused)}: the cluster forbids to list them"
    return found, [told] if refused else []


def _of_others(project: Project, environment: str) -> set[ResourceId]:
    """What the other environments hold: several may share a cluster, or a namespace of it."""
    found: set[ResourceId] = set()
    for name in project.environments:
        if name != environment:
            try:
                found.update(project.link(name).ids())
            except EnvcError:
                continue
    return found


def _listed(cluster: Cluster, kind: ApiKind, namespace: str) -> list[dict[str, Any]]:
    """What objects of a kind say of themselves, without their contents."""
    found: list[dict[str, Any]] = []
    more = ""
    while True:
        page = cluster.request(
            "GET",
            kind.path(namespace),
            what=f"list {kind.title}",
            params={"limit": 500, **({"continue": more} if more else {})},
            accept=METADATA,
        )
        found += page.get("items") or ()
        more = str(map_at(page, "metadata").get("continue") or "")
        if not more:
            return found


def _is_made(value: dict[str, Any]) -> bool:
    """Whether a controller or the cluster has made an object: it is made again, or goes, by itself."""
    return is_owned(value) or made_by_cluster(value, is_live=True)


class _Tracking:
    """By what the objects of an environment are known."""

    def __init__(self, built: CompiledEnvironment, looked: Iterable[LiveObject], settings: ArgoSettings) -> None:
        self._labels: Mapping[str, str] = built.composed.sources.settings.labels or {}
        self._settings = settings
        self._applications = {
            settings.application_of(map_at(one.value, "metadata"), one.resource.id._replace(namespace=one.namespace))
            for one in looked
            if one.value is not None
        } - {""}

    def why(self, value: Mapping[str, Any], identity: ResourceId) -> str:
        """Why an object is one of the environment's; empty when nothing says so."""
        metadata = map_at(value, "metadata")
        application = self._settings.application_of(metadata, identity)
        if application in self._applications:
            return f"Argo CD's Application {application} tracks it"
        if application and self._settings.tracking != "label":
            return ""
        if any((writer.manager, writer.operation) == _OWN for writer in writers_of(dict(value))):
            return "the field manager envc applied it"
        labels = map_at(metadata, "labels")
        if self._labels and all(labels.get(name) == text for name, text in self._labels.items()):
            return "it has the labels that environment.yaml gives"
        return ""


def _some(names: Sequence[str]) -> str:
    known = sorted(set(names))
    return ", ".join(known[:5]) + (f" and {len(known) - 5} more kinds" if len(known) > 5 else "")
