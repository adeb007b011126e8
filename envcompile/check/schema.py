"""What the API server refuses of a resource, by the schema of its kind and by the tables of its validation code."""

from __future__ import annotations

import marshal
from functools import lru_cache
from hashlib import blake2b
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.names import label
from envcompile.check.api.sure import surely_right
from envcompile.check.mend import put, taken
from envcompile.check.reading import at
from envcompile.check.versions import PASSING
from envcompile.kubernetes import shortcomings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.check.finding import Severity
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Pointer, ResourceId


_SEALED: Final = ("bitnami.com", "SealedSecret")
_GONE: Final = frozenset(("extensions", kind) for version, kind in PASSING if version == "extensions/v1beta1")
"""Kubernetes' own until 1.22: no definition brings them back, and the rule `api-removed` says what to write."""


class Complaint(NamedTuple):
    """One thing that the API server refuses of a resource."""

    pointer: Pointer
    what: str
    severity: Severity = "error"
    """A warning for what is refused when the resource is created, and not when it is applied."""
    is_dropped: bool = False
    """True for a field that is not known, which a server drops that is not asked to be strict."""


def complaints(api: KubeApi, value: Any, *, is_right_by_tables: bool = False) -> list[Complaint]:
    """List what the API server refuses of a resource, each field once.

    What cannot be decoded is said first (types, unknown and missing fields); of the rest only what is not said yet.

    Args:
        api: the API.
        value: the resource.
        is_right_by_tables: it is known that the tables have nothing against it (`surely_right` with `by_tables`).
    """
    if surely_right(api, value, is_known=is_right_by_tables):
        return []
    key = _content(value)
    if key is None:
        return look_in_full(api, value)
    known = _remembered(api)
    if key not in known:
        known[key] = look_in_full(api, value)
    return known[key]


@lru_cache(maxsize=8)
def _remembered(_: KubeApi) -> dict[bytes, list[Complaint]]:
    """What was found before, by the content: most resources are the same in many environments."""
    return {}


def _content(value: Any) -> bytes | None:
    """What stands for all that is judged of a resource: its namespace, if it is one, says nothing."""
    namespace = at(value, "metadata", "namespace")
    try:
        if isinstance(namespace, str) and namespace and value.get("kind") != "Event" and label(namespace) is None:
            value = {**value, "metadata": {**value["metadata"], "namespace": "x"}}
        return blake2b(marshal.dumps(value, 2), digest_size=16).digest()
    except ValueError:
        return None


def look_in_full(api: KubeApi, value: Any) -> list[Complaint]:
    """The same without the quick way, and nothing remembered."""
    from envcompile.check.api.younger import NEWEST, is_judged

    found = _refused_by_the_newest(api, value)
    release = int(api.version.partition(".")[2])
    if not found or release >= NEWEST or not api.is_built_in(*_kind(value)):
        return found
    read = _misread(api, value)
    return [one for one in found if one.pointer in read or is_judged(value, one.pointer, release)]


def _misread(api: KubeApi, value: Any) -> set[Pointer]:
    """The fields that cannot be decoded: a server refuses them whatever it looks at afterwards."""
    from envcompile.kubernetes.demands import demands

    demanded = {pointer for pointer, _ in demands(*_kind(value), value)} if isinstance(value, dict) else set()
    wrong = shortcomings(api, value, with_doubts=True)
    return {one.pointer for one in wrong if one.pointer not in demanded and at(value, *one.pointer) is not None}


def _refused_by_the_newest(api: KubeApi, value: Any) -> list[Complaint]:
    from envcompile.check.api.walk import refusals

    found = []
    for one in shortcomings(api, value, with_doubts=True):
        found.append(Complaint(one.pointer, one.what, "error" if one.is_certain else "warning", one.is_dropped))
        if one.becomes is not None:
            value = put(value, one.pointer, one.becomes)
    if not api.is_built_in(*_kind(value)) and all(one.is_dropped or _is_absent(value, one.pointer) for one in found):
        from envcompile.check.api.customs import custom_refusals, metadata_refusals

        # As a server does it that is not strict: the rest is judged all the same.
        known = {one.pointer for one in found}
        dropped = [one.pointer for one in found if one.is_dropped]
        for pointer in sorted(dropped, key=len, reverse=True):
            value = taken(value, pointer)
        grade: Severity = "warning" if api.project(*_kind(value)) else "error"
        more = [
            *starmap(Complaint, metadata_refusals(api, value)),
            *(Complaint(pointer, what, grade) for pointer, what in custom_refusals(api, value)),
        ]
        return [*found, *(one for one in more if one.pointer not in known)]
    known = {complaint.pointer for complaint in found}
    doubtful = {complaint.pointer: index for index, complaint in enumerate(found) if complaint.severity != "error"}
    for pointer, what in refusals(api, value):
        wrong = any(
            pointer[:length] in known and at(value, *pointer[:length]) is not None for length in range(1, len(pointer))
        )
        if pointer in doubtful:
            said = found[doubtful[pointer]].what
            found[doubtful[pointer]] = Complaint(pointer, f"{said}, and what an apply makes of it is refused: {what}")
        elif pointer not in known and not wrong:
            found.append(Complaint(pointer, what))
    return found


def _is_absent(value: Any, pointer: Pointer) -> bool:
    """Tell whether a field is not there: a server that asks for it has read all others."""
    return len(pointer) > 1 and at(value, *pointer) is None


def _kind(value: Any) -> tuple[str, str]:
    return str(at(value, "apiVersion")).rpartition("/")[0], str(at(value, "kind"))


def unknown_kinds(api: KubeApi, resources: Iterable[ResourceId]) -> list[str]:
    """The kinds of some resources that no schema is known of, such as `ScaledObject.keda.sh`.

    SealedSecrets are not among them: envc makes them, and compiles none of another form.
    """
    kinds = {(resource.group, resource.kind) for resource in resources} - {_SEALED} - _GONE
    return sorted(f"{kind}.{group}" for group, kind in kinds if not api.knows(group, kind) and not api.owns(group))
