"""What a watcher saw happen to a workload beside its usage: kills for memory, and requests that changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.history.livetimes import SECOND
from envcompile.history.times import stamp
from envcompile.kubernetes.clustermade import map_at
from envcompile.kubernetes.podspecs import maps_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from envcompile.history.livereading import LiveReader, Version
    from envcompile.model import ResourceId


class Past:
    """A stretch of a cluster's history.

    Args:
        reader: of the history.
        cluster: its number.
        since: its begin, in the history's unit.
        until: its end.
    """

    def __init__(self, reader: LiveReader, cluster: int, since: int, until: int) -> None:
        self._reader, self._since, self._until = reader, since, until
        self._kinds = {(group, kind): number for number, group, _, kind, _ in reader.kinds(cluster)}

    def kills(self, namespace: str, pods: Collection[str]) -> list[int]:
        """When containers of pods were killed for memory: one entry a restart that says so, in order.

        The kubelet tells of the last end of a container alone; restarts in between two versions count with it. What was
        before the first version is not known.
        """
        number = self._kinds.get(("", "Pod"))
        found: list[int] = []
        for name in sorted(pods) if number is not None else ():
            versions, bodies = self._versions(number, namespace, name)
            before: dict[str, int] = {}
            for version in versions:
                for container, count, reason in _ends(bodies[version.content]):
                    more = count - before.get(container, count)
                    before[container] = count
                    if more > 0 and reason == "OOMKilled" and version.since >= self._since:
                        found += [version.since] * more
        return sorted(found)

    def changed_requests(self, workload: ResourceId) -> tuple[str, ...]:
        """A note for each time that the requests of a workload became others."""
        number = self._kinds.get((workload.group, workload.kind))
        if number is None:
            return ()
        versions, bodies = self._versions(number, workload.namespace, workload.name)
        notes = []
        before: dict[str, str] | None = None
        for version in versions:
            requests = _requests(bodies[version.content])
            if before is not None and version.since >= self._since:
                for name in sorted({*before, *requests}):
                    old, new = before.get(name, "none"), requests.get(name, "none")
                    if old != new:
                        moment = stamp(version.since // SECOND, utc=True)
                        notes.append(f"requests of {name} were {old} until {moment}, then {new}: usage counts alike")
            before = requests
        return tuple(notes)

    def _versions(self, kind: int | None, namespace: str, name: str) -> tuple[list[Version], dict[int, Any]]:
        """The versions of an object up to the end, oldest first, with what they hold."""
        objects = self._reader.objects([] if kind is None else [kind], name, namespace)
        versions = [one for one in reversed(self._reader.versions(objects)) if one.since < self._until]
        bodies = self._reader.bodies({one.content for one in versions})
        return versions, {number: json.loads(body) for number, body in bodies.items()}


def _ends(body: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """The containers of a pod: name, restarts, and why it ended last."""
    for container in maps_in(map_at(body, "status"), "containerStatuses"):
        reason = map_at(container, "lastState", "terminated").get("reason")
        count = container.get("restartCount")
        yield str(container.get("name")), count if isinstance(count, int) else 0, str(reason)


def _requests(body: Mapping[str, Any]) -> dict[str, str]:
    """What the containers of a workload's pods request, as `container resource` -> amount."""
    found = {}
    for container in maps_in(map_at(body, "spec", "template", "spec"), "containers"):
        for name, amount in map_at(container, "resources", "requests").items():
            found[f"{container.get('name')} {name}"] = str(amount)
    return found
