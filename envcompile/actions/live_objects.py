"""What a cluster sends, as the history keeps it: objects without what changes all the time, events, usage."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from envcompile.ask.changes import Moved, Order, field_changes, value_changes
from envcompile.errors import Problem, UsageError
from envcompile.history.live import FieldOf, KindName, Seen
from envcompile.history.livetimes import SECOND, Happening, Measured
from envcompile.kubernetes.clustermade import map_at
from envcompile.kubernetes.fieldpath import Item
from envcompile.kubernetes.managedfields import below_field, below_item, owners_of
from envcompile.kubernetes.observed import identity_of, observed
from envcompile.kubernetes.quantities import quantity
from envcompile.model import ResourceId
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from envcompile.ask.changes import FieldChange
    from envcompile.cluster.kinds import ApiKind
    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.kubernetes.managedfields import Owners, Writer

LONGEST_MESSAGE: Final = 1024
"""Characters of an event's message that are kept, as the API allows them."""
LONGEST_TEXT: Final = 200
"""Characters of a changed value that are shown."""


def keyed_digests() -> Callable[[str], str]:
    """What stands for the values of Secrets, by this machine's identity key; one is made where there is none.

    Raises:
        UsageError: there is no key and no home to keep one in.
    """
    from envcompile.secrets.identity import create_identity, load_identity

    key = load_identity(os.environ)
    if key is None:
        made = create_identity(os.environ)
        key = made[0] if made is not None else load_identity(os.environ)
    if key is None:
        raise UsageError([
            Problem(
                "there is no key for the digests of Secrets, and no home to keep one in",
                "set ENVC_IDENTITY_KEY to the output of `openssl rand -hex 32`",
            )
        ])
    return key.digest_of


def named(kind: ApiKind) -> KindName:
    """A kind as the tables know it."""
    return KindName(kind.group, kind.plural, kind.kind, ",".join(kind.short_names))


def seen_of(live: Mapping[str, Any], keyed: Callable[[str], str], *, is_gone: bool) -> Seen:
    """An object as it is stored.

    Args:
        live: as the server sent it.
        keyed: makes digests of a Secret's values.
        is_gone: it was deleted, and this is what it was at last.
    """
    who = identity_of(live)
    value = {} if is_gone else observed(live, keyed)
    body = b"" if is_gone else encoded(value)
    managed = map_at(live, "metadata").get("managedFields")
    return Seen(
        uid=who.uid,
        namespace=who.namespace,
        name=who.name,
        resource_version=who.resource_version,
        created=microseconds(who.created),
        owner=who.owner,
        body=body,
        digest=hashlib.sha256(body).digest(),
        managers=b"[]" if is_gone else encoded(managed or []),
        is_gone=is_gone,
        value=(value, live),
    )


def encoded(value: Any) -> bytes:
    """A kept object as JSON whose bytes are equal when the objects are."""
    # A watcher spends most of its time with these texts; who has no client of a cluster may have no `orjson` either.
    with suppress(ImportError, TypeError):  # and it refuses numbers of more than 64 bits
        import orjson

        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def comparing(api: KubeApi) -> Callable[[bytes, Seen], list[FieldOf]]:
    """What compares an object with the text of the version before.

    Args:
        api: the schemas, for the merge keys of lists.
    """

    def compare(before: bytes, seen: Seen) -> list[FieldOf]:
        value, live = seen.value
        owners = owners_of(live)
        found = []
        for change in differences(json.loads(before), value, api):
            writer = writer_of(change.path, value, owners)
            if writer is None and change.new is ABSENT and owners:
                writer = owners[-1].writer  # nobody owns what is gone: the last who wrote took it away
            told = (writer.manager, writer.operation, writer.time) if writer is not None else ("", "", "")
            found.append(FieldOf(change.field, how_of(change), *told))
        return found

    return compare


def differences(old: dict[str, Any], new: dict[str, Any], api: KubeApi) -> list[FieldChange]:
    """The fields in which two kept versions of an object differ; values of Secrets are digests already."""
    kind = str(new.get("kind"))
    if kind == "Secret":
        return list(value_changes(old, new))
    group = str(new.get("apiVersion", "")).rpartition("/")[0]
    metadata = map_at(new, "metadata")
    identity = ResourceId(group, kind, str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))
    return list(field_changes(identity, old, new, api))


def how_of(change: FieldChange) -> str:
    """What happened to a field: `added`, `removed`, `changed` or `order`."""
    if isinstance(change.new, Order | Moved):
        return "order"
    return "added" if change.old is ABSENT else "removed" if change.new is ABSENT else "changed"


def writer_of(path: FieldPath, value: Any, owners: Owners) -> Writer | None:
    """Who wrote a field last: the nearest owner of it, or of what holds it."""
    found: Writer | None = None
    for part in path:
        if isinstance(part, Item):
            value = next((one for one in value if part.matches(one)), None) if isinstance(value, list) else None
            owners = below_item(owners, value)
        elif isinstance(part, int):
            items = value if isinstance(value, list) else []
            value = items[part] if 0 <= part < len(items) else None
            owners = below_item(owners, value)
        else:
            value = value.get(part) if isinstance(value, dict) else None
            owners = below_field(owners, part)
        if not owners:
            return found
        found = owners[-1].writer
    return found


def happening_of(live: Mapping[str, Any]) -> Happening:
    """An event as it is stored."""
    metadata = map_at(live, "metadata")
    involved = map_at(live, "involvedObject")
    series = map_at(live, "series")
    at = next(
        (
            str(text)
            for text in (
                series.get("lastObservedTime"),
                live.get("lastTimestamp"),
                live.get("eventTime"),
                live.get("firstTimestamp"),
                metadata.get("creationTimestamp"),
            )
            if text
        ),
        "",
    )
    source = live.get("reportingComponent") or map_at(live, "source").get("component") or ""
    times = series.get("count") or live.get("count") or 1
    return Happening(
        microseconds(at),
        str(metadata.get("uid") or ""),
        str(involved.get("uid") or ""),
        str(involved.get("namespace") or metadata.get("namespace") or ""),
        str(involved.get("kind") or ""),
        str(involved.get("name") or ""),
        str(live.get("type") or ""),
        str(live.get("reason") or ""),
        str(source),
        times if isinstance(times, int) else 1,
        str(live.get("message") or "")[:LONGEST_MESSAGE],
    )


def measured_of(items: Iterable[Mapping[str, Any]], workload: Callable[[str, str], str]) -> Iterator[Measured]:
    """What the containers of PodMetrics used.

    Args:
        items: as the metrics API sends them.
        workload: what a pod belongs to, by namespace and name.
    """
    for item in items:
        metadata = map_at(item, "metadata")
        namespace, pod = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
        at = microseconds(str(item.get("timestamp") or ""))
        containers = item.get("containers")
        for one in containers if isinstance(containers, list) else ():
            usage = map_at(one, "usage")
            cpu, memory = quantity(usage.get("cpu")), quantity(usage.get("memory"))
            if cpu is not None and memory is not None and at:
                name = str(one.get("name") or "")
                yield Measured(namespace, pod, name, workload(namespace, pod), at, float(cpu * 1000), int(memory))


def microseconds(text: str) -> int:
    """A time as the API writes it, in microseconds since 1970; 0 for what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND + moment.microsecond
