"""The rule that every other one stands on: a resource is what the API server takes."""

from __future__ import annotations

import marshal
import re
from functools import lru_cache
from hashlib import blake2b
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.names import label
from envcompile.check.api.sure import surely_right
from envcompile.check.finding import Hit
from envcompile.check.mend import Mend, as_written
from envcompile.check.reading import at
from envcompile.check.rule import Rule
from envcompile.check.standards import minor_of
from envcompile.check.versions import is_gone
from envcompile.kubernetes import shortcomings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.finding import Severity
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Pointer, Resource, ResourceId


_SEALED: Final = ("bitnami.com", "SealedSecret")


class Complaint(NamedTuple):
    """One thing that the API server refuses of a resource."""

    pointer: Pointer
    what: str
    severity: Severity = "error"
    """A warning for what is refused when the resource is created, and not when it is applied."""
    is_dropped: bool = False
    """True for a field that is not known, which a server drops that is not asked to be strict."""


def complaints(api: KubeApi, value: Any) -> list[Complaint]:
    """List what the API server refuses of a resource, each field once.

    What cannot be decoded is said first (types, unknown and missing fields); of the rest only what is not said yet.
    """
    if surely_right(api, value):
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
    from envcompile.check.api.walk import refusals

    found = [
        Complaint(one.pointer, one.what, "error" if one.is_certain else "warning", one.is_dropped)
        for one in shortcomings(api, value, with_doubts=True)
    ]
    if not found and not api.is_built_in(*_kind(value)):
        from envcompile.check.api.customs import custom_refusals, metadata_refusals

        grade: Severity = "warning" if api.project(*_kind(value)) else "error"
        return [
            *starmap(Complaint, metadata_refusals(api, value)),
            *(Complaint(pointer, what, grade) for pointer, what in custom_refusals(api, value)),
        ]
    known = {complaint.pointer for complaint in found}
    for pointer, what in refusals(api, value):
        wrong = any(
            pointer[:length] in known and at(value, *pointer[:length]) is not None for length in range(1, len(pointer))
        )
        if pointer not in known and not wrong:
            found.append(Complaint(pointer, what))
    return found


def _kind(value: Any) -> tuple[str, str]:
    return str(at(value, "apiVersion")).rpartition("/")[0], str(at(value, "kind"))


def _find(scene: Scene) -> Iterator[Hit]:
    fix = f"write it as the API of Kubernetes {scene.api.version} has it: the API server refuses it, or drops the field"
    minor = minor_of(scene.api.version)
    for resource in scene.resources:
        gone = is_gone(resource, minor)
        for pointer, what, severity, _ in complaints(scene.api, resource.value):
            if gone and pointer == ("apiVersion",):
                continue  # the rule `api-removed` says so, and since when
            beside = tuple(_named_beside(resource.value, pointer, what))
            yield Hit(resource.id, pointer, what, fix, None if severity == "error" else severity, what, beside)


_NAMED: Final = re.compile(r"`([A-Za-z]\w*)(?:: [^`]*)?`")


def _named_beside(value: Any, pointer: Pointer, what: str) -> Iterator[Pointer]:
    """The other fields that a complaint speaks of: those that stand in a map around the field."""
    for name in dict.fromkeys(_NAMED.findall(what)):
        for length in range(len(pointer) - 1, -1, -1):
            around = at(value, *pointer[:length]) if length else value
            if isinstance(around, dict) and name in around:
                if name not in pointer:
                    yield (*pointer[:length], name)
                break


_SCALAR: Final = re.compile(
    r"is an? (?P<is>integer|number|boolean|string) where an? (?P<due>string|integer|boolean) belongs"
)
_NO_PORT_NAME: Final = "is no port name"
_TRUTH: Final = {"true": True, "false": False}


def _mend(resource: Resource, hit: Hit) -> Iterator[Mend]:
    """Quotes for what should be a text, none for what should not."""
    field, value = hit.pointer, at(resource.value, *hit.pointer)
    said = _SCALAR.search(hit.what)
    if said is not None and said["due"] == "string":
        yield Mend(field, field, as_written)
    elif isinstance(value, str) and (said is None or said["due"] == "integer"):
        if value.isascii() and value.isdigit() and (said is not None or _NO_PORT_NAME in hit.what):
            yield Mend(field, field, _number)
    elif isinstance(value, str) and value in _TRUTH:
        yield Mend(field, field, lambda text: _TRUTH.get(text, text))


def _number(text: Any) -> Any:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else text


SCHEMA = Rule(
    "schema",
    "error",
    "A resource has the fields, types and values of its kind; anything else is refused by the API server or silently "
    "dropped.",
    "the OpenAPI document of the environment's Kubernetes version, the CRDs of the repository, and Kubernetes' "
    "validation code (the tables in envcompile/check/tables name files and functions)",
    _find,
    mend=_mend,
    alone=True,
    why=(
        "A field that the API server does not know is dropped without a word, and what it refuses stops the whole "
        "apply."
    ),
    fix="Write the field as the API of the environment's Kubernetes version has it.",
    links=("https://kubernetes.io/docs/reference/kubernetes-api/",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      container: [{name: api, image: "shop/api:v1.4.2"}]
""",
    silent="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
)
"""What the API server refuses as a rule; kinds that nothing is known of have no schema."""


def _find_changes(scene: Scene) -> Iterator[Hit]:
    from envcompile.check.api.immutable import is_made_anew, refused_changes

    fix = (
        "give the resource another name, delete it from the cluster before it is applied, or leave the field as it was "
        "(with Argo CD the annotation argocd.argoproj.io/sync-options: Force=true,Replace=true makes it anew)"
    )
    for resource in scene.resources:
        old = scene.older.get(resource.id)
        if old is None or is_made_anew(resource.value):
            continue
        for pointer, what in refused_changes(scene.api, old, resource.value):
            yield Hit(resource.id, pointer, what, fix, value=what)


IMMUTABLE = Rule(
    "immutable-field",
    "error",
    "Fields that cannot change once an object is there are as they were compiled last: the API server refuses the "
    "change, and the environment stays out of step.",
    "Kubernetes' validation code (envcompile/check/tables/immutable.json names the functions)",
    _find_changes,
    alone=True,
    why=(
        "The API server refuses the change, and the cluster keeps the old object while the repository says "
        "something else."
    ),
    fix=(
        "Give the resource another name, delete it from the cluster before it is applied, or leave the field as it was."
    ),
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.2"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: shop-api}}
  template:
    metadata: {labels: {app: shop-api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
    silent="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.2"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "shop/api:v1.4.3"}]
""",
)
"""What the API server refuses of a resource because of what it was."""


def unknown_kinds(api: KubeApi, resources: Iterable[ResourceId]) -> list[str]:
    """The kinds of some resources that no schema is known of, such as `ScaledObject.keda.sh`.

    SealedSecrets are not among them: envc makes them, and compiles none of another form.
    """
    kinds = {(resource.group, resource.kind) for resource in resources} - {_SEALED}
    return sorted(f"{kind}.{group}" for group, kind in kinds if not api.knows(group, kind) and not api.owns(group))
