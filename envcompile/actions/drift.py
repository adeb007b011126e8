"""What a cluster has that the sources want otherwise: compiled against live, field by field, with who wrote it."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from envcompile.actions.drift_argo import argo_for, is_argos
from envcompile.actions.drift_extras import extras_of
from envcompile.cluster.answers import ApiError
from envcompile.cluster.drift.compare import Rules, compare, is_going
from envcompile.cluster.drift.ignores import ignore, without
from envcompile.cluster.drift.injections import controllers_of
from envcompile.cluster.drift.knowntypes import is_understood, settled
from envcompile.kubernetes.clustermade import map_at
from envcompile.kubernetes.fieldpath import resolve
from envcompile.kubernetes.managedfields import owners_of
from envcompile.log import decision
from envcompile.units.field_places import source_place
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.actions.drift_argo import ArgoCd
    from envcompile.cluster.client import Cluster
    from envcompile.cluster.drift.compare import Difference
    from envcompile.cluster.kinds import ApiKind
    from envcompile.kubernetes.managedfields import Writer
    from envcompile.model import Location, Resource, ResourceId
    from envcompile.units.project import CompiledEnvironment, Project

Method = Literal["read", "dry-run"]
SCALERS: Final = frozenset({("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject")})
PROBE: Final = "-envc-probe"
"""What names of dry runs end in; nothing of them is kept by the server."""
LONGEST_NAME: Final = 63
"""Letters of a name that every kind takes."""
KEY: Final = secrets.token_bytes(32)
"""Keys the digests that Secrets' values are compared by; it lives as long as the process."""


class Wanted(NamedTuple):
    """How drift is looked for."""

    context: str | None = None
    """The context of the kubeconfig; default: what environment.yaml names, else the current one."""
    method: Method = "read"
    """By reading alone, or by dry-run creates, object by object, where the cluster permits them."""
    everything: bool = False
    """Objects of the environment's own namespace that nobody tracks are told, too."""
    appliers: tuple[str, ...] = ()
    """Field managers that apply the repository, beside the known ones."""
    trusted: tuple[str, ...] = ()
    """Field managers that may write what they like."""


class FieldDrift(NamedTuple):
    """One field that differs."""

    field: str
    kind: Literal["changed", "missing", "extra", "order"]
    want: Any
    """The compiled value; ABSENT for what is extra."""
    have: Any
    writer: Writer | None
    """Who wrote the live value last; None where the cluster names nobody."""
    place: Location | None
    """The line that wants otherwise; for what is extra, the one nearest around it."""


class ObjectDrift(NamedTuple):
    """An object that differs, is missing, or is there although nobody wants it."""

    resource: ResourceId
    kind: Literal["changed", "missing", "extra"]
    fields: tuple[FieldDrift, ...]
    place: Location | None
    writer: Writer | None
    """Of an extra object: who wrote it last."""
    note: str = ""


class EnvironmentDrift(NamedTuple):
    """How an environment's cluster stands to it."""

    environment: str
    context: str
    server: str
    objects: tuple[ObjectDrift, ...]
    compared: int
    """Compiled objects that were looked for."""
    probed: int
    """Those compared by dry run."""
    remarks: tuple[str, ...]
    """What could not be compared, and why."""


class LiveObject(NamedTuple):
    """A compiled resource with the kind that the cluster serves and the live object, None where there is none."""

    resource: Resource
    kind: ApiKind | None
    namespace: str
    value: dict[str, Any] | None
    problem: str = ""
    """Why the cluster could not be asked for it."""


def find_all(project: Project, environments: Iterable[str], wanted: Wanted) -> list[EnvironmentDrift]:
    """Compare environments with their clusters, one after the other.

    Args:
        project: the sources.
        environments: their names.
        wanted: how to look.
    """
    found = []
    for name in environments:
        with connect(project, name, wanted.context) as cluster:
            found.append(find_drift(project, name, cluster, wanted))
    return found


def find_drift(project: Project, environment: str, cluster: Cluster, wanted: Wanted) -> EnvironmentDrift:
    """Compare an environment with its cluster.

    Args:
        project: the sources.
        environment: the environment's name.
        cluster: the connection to its cluster.
        wanted: how to look.

    Raises:
        EnvcError: the environment does not compile.
        UnavailableError: the cluster does not answer.
    """
    built = project.compile_with_sources(environment)
    looked = list(live_objects(built, cluster))
    remarks = list(dict.fromkeys(one.problem for one in looked if one.problem))
    argo = argo_for(project, built, cluster, [one.value for one in looked])
    seen = [one for one in looked if argo.settings.looks_at(one.resource.id.group, one.resource.id.kind)]
    remarks += [
        f"knownTypeFields: {one.type} of {one.kind} is not understood and was left out"
        for one in argo.settings.known_types
        if not is_understood(one, built.composed.api)
    ]
    remarks += [*argo.settings.problems, *_left_out(looked, seen)]
    comparer = _Comparer(built, cluster, wanted, argo)
    found = [drift for one in seen if not one.problem and (drift := comparer.object(one)) is not None]
    remarks += dict.fromkeys(comparer.remarks)
    extra, told = extras_of(project, built, cluster, looked, settings=argo.settings, everything=wanted.everything)
    remarks += told
    found += [ObjectDrift(each.resource, "extra", (), None, each.writer, each.why) for each in extra]
    decision("drift", "%s: %d objects looked for, %d by dry run", environment, len(seen), comparer.probed)
    return EnvironmentDrift(
        environment,
        cluster.access.context,
        cluster.access.server,
        tuple(sorted(found, key=lambda one: (one.resource, one.kind))),
        len(seen),
        comparer.probed,
        tuple(remarks),
    )


def _left_out(looked: Sequence[LiveObject], seen: Sequence[LiveObject]) -> Iterator[str]:
    """What is told of kinds that Argo CD neither applies nor compares."""
    if len(seen) < len(looked):
        kinds = sorted({one.resource.id.kind for one in looked} - {one.resource.id.kind for one in seen})
        count = len(looked) - len(seen)
        yield (
            f"{count} object{'s' if count > 1 else ''} of {', '.join(kinds)} {'were' if count > 1 else 'was'} not "
            f"compared: by `resource.exclusions` and `resource.inclusions` Argo CD does not look at the kind"
        )


def differences_of(
    project: Project, built: CompiledEnvironment, cluster: Cluster, wanted: Wanted, identity: ResourceId
) -> tuple[Difference, ...] | None:
    """The differences of one resource with their values as they are; None where it is not in the cluster.

    Args:
        project: the sources.
        built: the environment.
        cluster: the connection to its cluster.
        wanted: how to look.
        identity: the resource.

    Raises:
        UnavailableError: the cluster does not answer, or forbids to read the object.
    """
    from envcompile.errors import Problem, UnavailableError

    (one,) = live_objects(built, cluster, only=identity)
    if one.problem:
        raise UnavailableError([Problem(one.problem, "ask for the right to read it")])
    if one.kind is None or one.value is None or is_going(one.value):
        return None
    argo = argo_for(project, built, cluster, [one.value])
    return _Comparer(built, cluster, wanted, argo).differences(one, one.kind, one.value)


def connect(project: Project, environment: str, context: str | None) -> Cluster:
    """The connection to an environment's cluster.

    Args:
        project: the sources; environment.yaml may name the context.
        environment: the environment's name.
        context: goes before that.

    Raises:
        UsageError: there is no kubeconfig, or it has no such context.
    """
    from envcompile.cluster.client import Cluster
    from envcompile.cluster.kubeconfig import find_access

    settings = project.sources_of(environment).settings
    named = context or (settings.cluster.context if settings.cluster is not None else None)
    return Cluster(find_access(named, os.environ, checkout=project.root))


def live_objects(built: CompiledEnvironment, cluster: Cluster, only: ResourceId | None = None) -> Iterator[LiveObject]:
    """The live object of every compiled one; a kind is listed once in each namespace, Secrets are read one by one.

    Args:
        built: the environment.
        cluster: the connection to its cluster.
        only: of this resource alone.
    """
    kinds = cluster.discover()
    lists: dict[tuple[ApiKind, str], dict[str, dict[str, Any]] | str] = {}
    for resource in built.compiled.resources:
        if only not in {None, resource.id}:
            continue
        value = resource.value
        kind = kinds.of(str(value.get("apiVersion")), resource.id.kind)
        if kind is None:
            yield LiveObject(resource, None, "", None)
            continue
        home = resource.id.namespace or built.compiled.namespace or cluster.access.namespace or "default"
        namespace = home if kind.namespaced else ""
        if only is not None or (resource.id.group, resource.id.kind) == ("", "Secret"):
            yield _single(resource, kind, namespace, cluster)
            continue
        place = (kind, namespace)
        if place not in lists:
            lists[place] = _listed(cluster, kind, namespace)
        listed = lists[place]
        if isinstance(listed, str):
            yield LiveObject(resource, kind, namespace, None, listed)
        else:
            yield LiveObject(resource, kind, namespace, listed.get(resource.id.name))


def _listed(cluster: Cluster, kind: ApiKind, namespace: str) -> dict[str, dict[str, Any]] | str:
    """The objects of a kind by name, or why they cannot be read."""
    try:
        items = cluster.objects(kind, namespace=namespace).items
    except ApiError as error:
        if error.status != 403:
            raise
        return f"{kind.title} in {namespace or 'the cluster'} could not be read: {error.problems[0].what}"
    return {str(map_at(item, "metadata").get("name")): item for item in items}


def _single(resource: Resource, kind: ApiKind, namespace: str, cluster: Cluster) -> LiveObject:
    try:
        return LiveObject(resource, kind, namespace, cluster.get(kind, resource.id.name, namespace))
    except ApiError as error:
        if error.status != 403:
            raise
        return LiveObject(
            resource,
            kind,
            namespace,
            None,
            f"{kind.title} in {namespace or 'the cluster'} could not be read: {error.problems[0].what}",
        )


def _scaled(resources: Iterable[Resource]) -> frozenset[tuple[str, str, str]]:
    """Namespace, kind and name of every workload whose number of pods an autoscaler decides on."""
    found = set()
    for resource in resources:
        if (resource.id.group, resource.id.kind) in SCALERS:
            target = map_at(resource.value, "spec", "scaleTargetRef")
            found.add((resource.id.namespace, str(target.get("kind") or "Deployment"), str(target.get("name"))))
    return frozenset(found)


class _Comparer:
    """Compares live objects of one environment, and keeps what should be told beside."""

    def __init__(
        self,
        built: CompiledEnvironment,
        cluster: Cluster,
        wanted: Wanted,
        argo: ArgoCd,
    ) -> None:
        self._built = built
        self._cluster = cluster
        self._wanted = wanted
        self._entries = argo.ignores
        self._argo = argo.settings
        self._scaled = _scaled(built.compiled.resources)
        # The operators of these write what they own; what Kubernetes' own kinds own, the cluster makes.
        self._custom = frozenset(
            (one.id.kind, one.id.name)
            for one in built.compiled.resources
            if "." in one.id.group and not one.id.group.endswith(".k8s.io")
        )
        self.probed = 0
        self.remarks: list[str] = []

    def object(self, one: LiveObject) -> ObjectDrift | None:
        """The drift of one object; None where it has none."""
        resource, live = one.resource, one.value
        place = source_place(self._built.composed, resource, ("metadata", "name"))
        if one.kind is None:
            note = f"the cluster serves no {resource.id.kind} of {resource.value.get('apiVersion')}"
            return ObjectDrift(resource.id, "missing", (), place, None, note)
        if live is None or is_going(live):
            note = f"it is being deleted since {is_going(live)}" if live is not None else ""
            return ObjectDrift(resource.id, "missing", (), place, None, note)
        found = self.differences(one, one.kind, live)
        if not found:
            return None
        fields = tuple(self._field(resource, difference) for difference in found)
        return ObjectDrift(resource.id, "changed", fields, place, None)

    def differences(self, one: LiveObject, kind: ApiKind, live: dict[str, Any]) -> tuple[Difference, ...]:
        """The differences of an object that is there."""
        identity = one.resource.id
        desired, live, managers, unknown = ignore(self._entries, identity, one.resource.value, live)
        self.remarks += [f"ignoreDifferences: {text} is not understood and was left out" for text in unknown]
        if self._argo.labels and is_argos(live):
            # Argo CD puts the name of its Application there, whatever the sources say.
            desired, live = (without(side, [("metadata", "labels", self._argo.label)]) for side in (desired, live))
        api = self._built.composed.api
        live = settled(self._argo.known_types, identity, desired, live, api)
        rules = Rules(
            self._wanted.appliers,
            (*self._wanted.trusted, *managers, *controllers_of(live, owners_of(live), self._custom)),
            (identity.namespace, identity.kind, identity.name) in self._scaled,
        )
        node = api.node(identity.group, kind.version, identity.kind)
        probe = self._probe(one, kind) if self._wanted.method == "dry-run" else None
        if probe is not None:
            self.probed += 1
            *_, probe, _, _ = ignore(self._entries, identity, {}, probe)
            return compare(desired, live, node, key=KEY, probe=probe, rules=rules)
        from envcompile.check.policy.defaults import admitted

        filled = admitted(api, desired, one.namespace)
        return compare(desired, live, node, key=KEY, filled=filled, rules=rules)

    def _probe(self, one: LiveObject, kind: ApiKind) -> dict[str, Any] | None:
        """What the server makes of the compiled object under another name; None where it refuses to say."""
        metadata = map_at(one.resource.value, "metadata")
        name = f"{one.resource.id.name[: LONGEST_NAME - len(PROBE)]}{PROBE}"
        value = {**one.resource.value, "metadata": {**metadata, "name": name}}
        if one.namespace:
            value["metadata"]["namespace"] = one.namespace
        try:
            return self._cluster.create(kind, value, dry_run=True)
        except ApiError as error:
            self.remarks.append(
                f"{one.resource.id.short} was compared by reading: its dry run was refused ({error.status}"
                f"{f' {error.reason}' if error.reason else ''})"
            )
            return None

    def _field(self, resource: Resource, difference: Difference) -> FieldDrift:
        pointer = resolve(difference.path, resource.value)
        place = source_place(self._built.composed, resource, pointer or _plain(difference, resource))
        want, have = (shown(resource.id, difference, side) for side in (difference.want, difference.have))
        return FieldDrift(difference.field, difference.kind, want, have, difference.writer, place)


def _plain(difference: Difference, resource: Resource) -> tuple[str | int, ...]:
    """The way to a field that the compiled object does not have, as far as it is there."""
    for length in range(len(difference.path) - 1, 0, -1):
        pointer = resolve(difference.path[:length], resource.value)
        if pointer is not None:
            return pointer
    return ("metadata", "name")


def shown(identity: ResourceId, difference: Difference, value: Any) -> Any:
    """A value as it may be shown: nothing of Secrets, nothing that looks like a password."""
    from envcompile.actions.drift_hiding import without_secrets

    return value if value is ABSENT else without_secrets(identity, difference.path, value)
