"""Whether what was compiled is there: held against what a watcher stored of each environment's cluster."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.live_places import open_live
from envcompile.errors import EnvcError
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import SECOND
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from envcompile.history.livereading import ClusterRow, Told

_EVENTS = 200
"""The newest ones that are read of a cluster."""
_DAY = 86_400 * SECOND


class Presence(NamedTuple):
    """What was seen of an environment's resources; times are seconds since 1970."""

    cluster: str
    started: int
    """When a watcher of the cluster was last started."""
    since: Mapping[ResourceId, int]
    """The resources that are there, with when they came."""
    missing: tuple[ResourceId, ...]
    """Those that are not, of the kinds that are watched."""
    unwatched: tuple[ResourceId, ...]
    """Those of other kinds."""
    events: tuple[Told, ...]
    """Of the last day, the newest first."""

    @property
    def watched(self) -> int:
        """How many resources are of a kind that is watched."""
        return len(self.since) + len(self.missing)


def presences(root: Path, wanted: Mapping[str, tuple[str, Collection[ResourceId]]], now: int) -> dict[str, Presence]:
    """What is known of each environment; those whose cluster was never watched are left out.

    Args:
        root: the project's folder.
        wanted: environment -> the context of its cluster, and its resources.
        now: the time that is asked about, in seconds since 1970.
    """
    try:
        database = open_live(root)
    except EnvcError:
        return {}
    with closing(database):
        reader = LiveReader(database)
        clusters = {one.name: one for one in reader.clusters()}
        found = {}
        for name, (context, resources) in wanted.items():
            cluster = clusters.get(context)
            if cluster is not None:
                found[name] = _presence(reader, cluster, resources, now * SECOND)
        return found


def _presence(reader: LiveReader, cluster: ClusterRow, resources: Collection[ResourceId], now: int) -> Presence:
    kinds = {(group, kind) for _, group, _, kind, _ in reader.kinds(cluster.number)}
    there = {
        ResourceId(one.object.group, one.object.kind, one.object.namespace, one.object.name): one.object.first_seen
        for one in reader.at(cluster.number, now)
    }
    since: dict[ResourceId, int] = {}
    missing: list[ResourceId] = []
    unwatched: list[ResourceId] = []
    for resource in resources:
        if (resource.group, resource.kind) not in kinds:
            unwatched.append(resource)
        elif resource in there:
            since[resource] = there[resource] // SECOND
        else:
            missing.append(resource)
    spaces = {resource.namespace for resource in resources}
    events = [
        told
        for told in reader.events(cluster.number, since=now - _DAY, until=now + SECOND, most=_EVENTS)
        if told.namespace in spaces
    ]
    started = cluster.seen // SECOND
    return Presence(cluster.name, started, since, tuple(missing), tuple(unwatched), tuple(events))
