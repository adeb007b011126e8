"""Which image each workload of an environment had, and since which commit, along one line of commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.kubernetes.podspecs import containers
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.git.repository import Commit
    from envcompile.history.database import Database
    from envcompile.history.reading import HistoryReader

_KINDS: Final = (
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
)


class Arrival(NamedTuple):
    """One container of a workload that runs another image from a commit on."""

    environment: str
    resource: ResourceId
    container: str
    before: str
    """The image until then; empty for a container that is new."""
    image: str
    """The image from then on; empty for a container that is gone."""
    commit: Commit
    is_first: bool
    """True where the record of the environment begins: the image may have been there before."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same container in every environment: kind, name, container."""
        return (self.resource.kind, self.resource.name, self.container)


def line_of(database: Database, head: str) -> list[str]:
    """The recorded commits on the line of first parents that leads to a commit, the oldest first."""
    above = {row[0]: row[1] for row in database.rows("SELECT hash, first_parent FROM recorded_commit WHERE tool <> ''")}
    found = []
    at = head
    while at in above:
        found.append(at)
        at = above[at]
    return found[::-1]


def states(
    store: HistoryReader, environment: str, line: Sequence[str], kinds: Sequence[str]
) -> Iterator[tuple[Commit, dict[ResourceId, dict[str, Any]], list[ResourceId]]]:
    """The resources of some kinds as each commit of a line left them, where it changed one of them, and which.

    The map is the same one each time; values of resources that did not change are the same objects.

    Args:
        store: the history.
        environment: its name.
        line: the commits, the oldest first; each holds what differs from the one before.
        kinds: the kinds that count.
    """
    revisions = store.revisions(environment)
    kept = [revisions[commit] for commit in line if commit in revisions]
    touched = _touched(store.database, environment, kinds)
    values = store.values({content for rows in touched.values() for _, content in rows if content is not None})
    facts = store.commits([revision.commit for revision in kept])
    held: dict[ResourceId, dict[str, Any]] = {}
    for number, revision in enumerate(kept):
        rows = touched.get(revision.id, [])
        if revision.base is None:  # it holds all: what it does not name is gone
            named = {identity for identity, _ in rows}
            rows = [*rows, *((identity, None) for identity in held if identity not in named)]
        for identity, content in rows:
            if content is None:
                held.pop(identity, None)
            else:
                held[identity] = values[content]
        if rows or not number:
            yield facts[revision.commit], held, [identity for identity, _ in rows]


def arrivals(store: HistoryReader, environment: str, line: Sequence[str]) -> Iterator[Arrival]:
    """The images of an environment as they come and go along a line of commits.

    Args:
        store: the history.
        environment: its name.
        line: the commits, the oldest first; each holds what differs from the one before.
    """
    before: dict[ResourceId, dict[str, str]] = {}
    seen: dict[ResourceId, dict[str, Any] | None] = {}
    for number, (commit, held, touched) in enumerate(states(store, environment, line, _KINDS)):
        for identity in touched:
            value = held.get(identity)
            if value is seen.get(identity):
                continue
            seen[identity] = value
            old, new = before.get(identity, {}), _images(identity, value) if value is not None else {}
            before[identity] = new
            for name in {**old, **new}:
                if old.get(name, "") != new.get(name, ""):
                    yield Arrival(
                        environment, identity, name, old.get(name, ""), new.get(name, ""), commit, number == 0
                    )


def _touched(
    database: Database, environment: str, kinds: Sequence[str]
) -> dict[int, list[tuple[ResourceId, int | None]]]:
    """Revision -> the resources of some kinds that it changed, with their new content."""
    marks = ", ".join("?" * len(kinds))
    found: dict[int, list[tuple[ResourceId, int | None]]] = {}
    for row in database.rows(
        "SELECT h.revision_id, x.api_group, x.kind, x.namespace, x.name, h.content_id FROM resource_change h "  # ruff: ignore[hardcoded-sql-expression] - marks for arguments
        "JOIN resource x ON x.id = h.resource_id JOIN environment e ON e.id = x.environment_id "
        f"WHERE e.name = ? AND x.kind IN ({marks}) ORDER BY h.revision_id, x.kind, x.name",
        (environment, *kinds),
    ):
        found.setdefault(row[0], []).append((ResourceId(*row[1:5]), row[5]))
    return found


def _images(identity: ResourceId, value: dict[str, object]) -> dict[str, str]:
    return {
        str(container.get("name") or ""): str(container["image"])
        for container in containers(identity, value)
        if isinstance(container.get("image"), str)
    }


def version_of(image: str) -> str:
    """What tells an image from its others: the tag, a shortened digest, or both; the whole where there is neither."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    short = digest.partition(":")[2][:12]
    return "@".join(filter(None, (tag, short))) or image
