"""Questions about what runs: a cluster's state now or then, an object's versions, who changed it, its events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.live_objects import LONGEST_TEXT, differences, how_of, writer_of
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.history.livetimes import SECOND
from envcompile.kubernetes.fieldpath import format_field, keyed, look_up, parse_field, resolve
from envcompile.kubernetes.kindwords import kinds_meant
from envcompile.kubernetes.managedfields import owners_of
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.history.livereading import ClusterRow, Field, LiveObject, LiveReader, Told, Version
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Pointer

FOREVER: Final = 2**62


class State(NamedTuple):
    """An object at a time: what it was, and since when."""

    object: LiveObject
    since: int
    until: int | None
    value: dict[str, Any]


class FieldStep(NamedTuple):
    """A field that changed: from what to what, and who wrote it when; empty where the cluster did not say."""

    field: str
    how: str
    old: str
    new: str
    manager: str
    at: str


class Entry(NamedTuple):
    """One version of an object: `created`, `changed`, `seen` first, or `gone`."""

    object: LiveObject
    at: int
    what: str
    fields: tuple[FieldStep, ...]


class Blamed(NamedTuple):
    """A field, its value, who wrote it, and since when it has it.

    `or_before` means that it was so when the object was first seen.
    """

    field: str
    value: Any
    manager: str
    operation: str
    at: int
    or_before: bool


class Live:
    """What is known of one cluster.

    Args:
        reader: the tables.
        cluster: which cluster.
        api: the schemas, for merge keys.
    """

    def __init__(self, reader: LiveReader, cluster: ClusterRow, api: KubeApi) -> None:
        self.reader = reader
        self.cluster = cluster
        self.api = api

    def kinds_of(self, word: str) -> list[int]:
        """The numbers of the kinds that a word means.

        Raises:
            UsageError: the cluster has none that is called so.
        """
        name, _, group = word.partition(".")
        meant = kinds_meant(name)
        known = self.reader.kinds(self.cluster.number)
        found = [
            number
            for number, its_group, plural, kind, short in known
            if (kind.lower() in meant or plural == name.lower() or name.lower() in short.split(","))
            and (not group or its_group == group)
        ]
        if not found:
            names = sorted({kind for _, _, _, kind, _ in known})
            raise UsageError([
                Problem(
                    f"no kind `{word}` of the cluster {self.cluster.name} was watched",
                    did_you_mean(name, names, "`envc live stats` lists the kinds"),
                )
            ])
        return found

    def state(self, moment: int, *, wanted: str = "", namespace: str = "") -> list[State]:
        """What there was at a time.

        Args:
            moment: microseconds since 1970.
            wanted: KIND, or KIND/NAME; everything when empty.
            namespace: only there.

        Raises:
            UsageError: there is no such kind, or nothing of this name.
        """
        kind, _, name = wanted.partition("/")
        kinds = self.kinds_of(kind) if kind else []
        found = self.reader.at(self.cluster.number, moment, kinds=kinds, namespace=namespace, name=name)
        if name and not found:
            raise UsageError([
                Problem(
                    f"{wanted} was not there{f' in {namespace}' if namespace else ''} at that time",
                    f"`envc live log {wanted}` tells when it was",
                )
            ])
        bodies = self.reader.bodies({one.content for one in found})
        return [State(one.object, one.since, one.until, json.loads(bodies[one.content])) for one in found]

    def objects(self, wanted: str, namespace: str = "") -> list[LiveObject]:
        """All that ever had a name, one after the other; of one namespace.

        Raises:
            UsageError: nothing has the name, or it is there in several namespaces and none is given.
        """
        kind, slash, name = wanted.partition("/")
        if not slash or not name:
            raise UsageError([Problem(f"`{wanted}` names no object", "write KIND/NAME, such as deploy/web")])
        found = self.reader.objects(self.kinds_of(kind), name, namespace)
        if not found:
            raise UsageError([
                Problem(
                    f"{wanted} was never seen{f' in {namespace}' if namespace else ''}",
                    f"`envc live get {kind}` lists what there is",
                )
            ])
        spaces = sorted({one.namespace for one in found})
        if len(spaces) > 1:
            raise UsageError([
                Problem(f"{wanted} was seen in several namespaces", f"name one by -n: {', '.join(spaces)}")
            ])
        return found

    def log(self, wanted: str, namespace: str = "", *, most: int | None = None) -> list[Entry]:
        """The versions of an object, newest first, each with the fields that changed.

        Args:
            wanted: KIND/NAME.
            namespace: where it is.
            most: so many entries.
        """
        objects = self.objects(wanted, namespace)
        versions = self.reader.versions(objects)
        entries: list[tuple[int, LiveObject, str, Version | None, Version | None]] = []
        by_object: dict[int, list[Version]] = {}
        for version in reversed(versions):
            by_object.setdefault(version.object.number, []).append(version)
        for held in by_object.values():
            before: Version | None = None
            for version in held:
                if before is not None and before.until is not None and before.until < version.since:
                    entries.append((before.until, version.object, "gone", None, None))
                what = "seen" if before is None else "changed"
                if before is None and _is_new(version):
                    what = "created"
                entries.append((version.since, version.object, what, before, version))
                before = version
            if before is not None and before.until is not None:
                entries.append((before.until, before.object, "gone", None, None))
        entries.sort(key=lambda one: (one[0], one[2] == "gone"), reverse=True)
        chosen = entries[:most]
        wanted_bodies = {one.content for *_, old, new in chosen for one in (old, new) if one is not None}
        bodies = self.reader.bodies(wanted_bodies)
        told = self.reader.fields({new.number for *_, new in chosen if new is not None})
        return [
            Entry(thing, at, what, self._steps(old, new, bodies, told.get(new.number, []) if new is not None else []))
            for at, thing, what, old, new in chosen
        ]

    def blame(self, wanted: str, namespace: str = "", field: str = "") -> list[Blamed]:
        """Who gave each field of an object the value that it has, or had when it went.

        Args:
            wanted: KIND/NAME.
            namespace: where it is.
            field: only this one, and what is below it.

        Raises:
            UsageError: the object has no such field.
        """
        thing = self.objects(wanted, namespace)[-1]
        versions = self.reader.versions([thing])
        if not versions:
            raise UsageError([Problem(f"no version of {wanted} is kept any more", "`envc db gc` has let them go")])
        value = json.loads(self.reader.bodies({versions[0].content})[versions[0].content])
        start = resolve(parse_field(field)[0], value) if field else ()
        if start is None:
            raise UsageError([Problem(f"{wanted} has no field `{field}`", "`envc live get` prints the object")])
        node = self.api.node(thing.group, str(value["apiVersion"]).rpartition("/")[2], thing.kind)
        told = self.reader.fields({one.number for one in versions})
        first = versions[-1]
        first_value = json.loads(self.reader.bodies({first.content})[first.content])
        owners = owners_of({"metadata": {"managedFields": json.loads(self.reader.managers(thing.number))}})
        found = []
        for pointer in _leaves(look_up(value, start), start):
            path = keyed(pointer, value, node)
            held = look_up(value, pointer)
            changed = _changed(pointer, value, versions, told)
            if changed is not None:
                version, row = changed
                found.append(Blamed(format_field(path), held, row.manager, row.operation, version.since, False))
                continue
            writer = writer_of(path, first_value, owners)
            manager, operation = (writer.manager, writer.operation) if writer is not None else ("", "")
            or_before = not _is_new(first)
            found.append(Blamed(format_field(path), held, manager, operation, first.since, or_before))
        return found

    def events(
        self, *, wanted: str = "", namespace: str = "", since: int = 0, until: int = FOREVER, most: int = 1000
    ) -> list[Told]:
        """Events, newest first; those of an object and of all that it owns when one is named."""
        uids: list[str] = []
        if wanted:
            objects = self.objects(wanted, namespace)
            uids = [one.uid for one in objects]
            for one in objects:
                uids += [owned.uid for owned in self.reader.owned(one.uid)]
        return self.reader.events(
            self.cluster.number, uids=uids, namespace=namespace, since=since, until=until, most=most
        )

    def _steps(
        self, old: Version | None, new: Version | None, bodies: dict[int, bytes], told: Sequence[Field]
    ) -> tuple[FieldStep, ...]:
        if old is None or new is None:
            return ()
        writers = {row.field: row for row in told}
        steps = []
        for change in differences(json.loads(bodies[old.content]), json.loads(bodies[new.content]), self.api):
            row = writers.get(change.field)
            who = (row.manager, row.at) if row is not None else ("", "")
            steps.append(FieldStep(change.field, how_of(change), _text(change.old), _text(change.new), *who))
        return tuple(steps)


def _changed(
    pointer: Pointer, value: Any, versions: Sequence[Version], told: dict[int, list[Field]]
) -> tuple[Version, Field] | None:
    """The newest version that changed a field or what holds it."""
    for version in versions:
        for row in told.get(version.number, ()):
            if row.how in {"order", "removed"}:
                continue
            way = resolve(parse_field(row.field)[0], value)
            if way is not None and pointer[: len(way)] == way:
                return version, row
    return None


def _is_new(version: Version) -> bool:
    """Whether an object was seen as soon as it was there."""
    return version.since - version.object.created < 60 * SECOND


def _leaves(value: Any, pointer: Pointer) -> Iterator[Pointer]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*pointer, key))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from _leaves(item, (*pointer, position))
    else:
        yield pointer


def _text(value: Any) -> str:
    """A value before or after a change, as JSON that is cut off where it is long."""
    if value is ABSENT:
        return ""
    if not isinstance(value, dict | list | str | int | float | bool | type(None)):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def stamp(moment: int) -> str:
    """A time as RFC 3339 has it, in UTC."""
    return datetime.fromtimestamp(moment / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
