"""The rule `cluster-leftover`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.mend import Mend
from envcompile.check.rule import Rule
from envcompile.kubernetes.cleaner import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Pointer, Resource


def _leftovers(inputs: CheckInput) -> Iterator[Hit]:
    for resource in inputs.resources:
        cleaned = clean(resource.value)
        if not cleaned.removed:
            continue
        first = next(_gone(resource.value, cleaned.value), ())
        names = ", ".join(f"`{name}`" for name in cleaned.removed[:6])
        some = f"{'are' if len(cleaned.removed) > 1 else 'is'} for the cluster to write"
        more = f" and {len(cleaned.removed) - 6} more" if len(cleaned.removed) > 6 else ""
        # An apply with a version that is not the cluster's is a conflict, and so is one on an object that is not there.
        is_refused = "metadata.resourceVersion" in cleaned.removed
        yield Hit(
            resource.id,
            first,
            f"it was taken from a cluster: {names}{more} {some}"
            + (", and an apply with a `resourceVersion` of then is refused" if is_refused else ""),
            "take these fields out, or run `envc fix --select cluster-leftover`",
            "error" if is_refused else None,
            value=list(cleaned.removed),
        )


def _gone(old: Any, new: Any, way: Pointer = ()) -> Iterator[Pointer]:
    """What is in one value and not in the other; a list that differs as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, item in old.items():
            if key not in new:
                yield (*way, key)
            elif item != new[key]:
                yield from _gone(item, new[key], (*way, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (item, other) in enumerate(zip(old, new, strict=True)):
            if item != other:
                yield from _gone(item, other, (*way, position))
    else:
        yield way


def _mend(resource: Resource, _hit: Hit) -> Iterator[Mend]:
    cleaned = clean(resource.value).value
    for pointer in _gone(resource.value, cleaned):
        yield Mend(pointer, None)


RULE: Final = Rule(
    "cluster-leftover",
    "warning",
    "A manifest holds what people decide, and nothing that a cluster wrote into it.",
    "kubernetes.io, Objects: spec and status; API Concepts: Resource versions",
    _leftovers,
    alone=True,
    mend=_mend,
    why=(
        "A manifest from `kubectl get -o yaml` brings the status, identity and history of one object along: an apply"
        " with its `resourceVersion` is refused, and the copy in `last-applied-configuration` may hold what was secret."
    ),
    fix="Take the fields out: `envc fix --select cluster-leftover` does.",
    links=(
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/#object-spec-and-status",
        "https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions",
    ),
    fires="""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: api
  uid: 0d1a2c4e-8f6b-4a4e-9d53-1b7f3f1f8a55
  creationTimestamp: "2026-01-01T00:00:00Z"
data: {LOG_LEVEL: info}
""",
    silent="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api}
data: {LOG_LEVEL: info}
""",
)
