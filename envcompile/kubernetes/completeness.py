"""What a resource lacks to be complete: missing fields, wrong types, fields its kind does not have."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import nearest
from envcompile.kubernetes.decoding import cut, formats, misread
from envcompile.kubernetes.demands import demands
from envcompile.kubernetes.schema import SCALARS, Shortcoming, json_type
from envcompile.kubernetes.shipped import groups, kinds_of
from envcompile.kubernetes.tables import GROUP_PREFIXES, TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.kubernetes.api import KubeApi
    from envcompile.kubernetes.schema import Node
    from envcompile.model import Pointer


# What each schema type may be in JSON, and how a message calls it. A number without a fraction is an integer to Go.
_ACCEPTED: Final = {
    "map": ("map",),
    "list": ("list",),
    "string": ("string",),
    "integer": ("integer",),
    "number": ("integer", "number"),
    "boolean": ("boolean",),
    "quantity": ("string", "integer", "number"),
    "int-or-string": ("integer", "string"),
}

_CALLED: Final = {
    "integer": "an integer",
    "quantity": "a quantity",
    "int-or-string": "an integer or a string",
}


_SCHEMAS: Final = ("items", "additionalProperties")
"""Fields of a schema in a CustomResourceDefinition that hold schemas, of which the API's own document does not tell.

A strict server does not tell unknown fields in them. Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/
apiextensions/v1/marshal.go.
"""

_OPTIONAL: Final[Mapping[str, frozenset[str]]] = {
    f"{GROUP_PREFIXES.get(name.partition('.')[0], TYPE_PREFIX)}{name}": frozenset(fields.split())
    for name, fields in {
        "apiextensions.v1.CustomResourceDefinitionVersion": "served storage",
        "apps.v1.ControllerRevision": "revision",
        "apps.v1.StatefulSetSpec": "serviceName",
        "autoscaling.v2.MetricIdentifier": "selector",
        "batch.v1.PodFailurePolicy": "rules",
        "batch.v1.PodFailurePolicyOnPodConditionsPattern": "status",
        "core.v1.Event": "involvedObject",
        "core.v1.HTTPHeader": "value",
        "core.v1.ISCSIPersistentVolumeSource": "lun",
        "core.v1.ISCSIVolumeSource": "lun",
        "core.v1.LimitRangeSpec": "limits",
        "core.v1.PreferredSchedulingTerm": "preference",
        "core.v1.ScaleIOVolumeSource": "secretRef",
        "core.v1.SleepAction": "seconds",
        "core.v1.Sysctl": "value",
        "core.v1.TypedLocalObjectReference": "kind name",
        "discovery.v1.ForZone": "name",
        "meta.v1.GroupResource": "group",
        "meta.v1.LabelSelectorRequirement": "key operator",
        "resource.v1.Counter": "value",
        "networking.v1.NetworkPolicySpec": "podSelector",
        "resource.v1.DeviceCapacity": "value",
        "resource.v1.ResourcePool": "generation",
        "storage.v1.CSIDriver": "spec",
        "storage.v1.TokenRequest": "audience",
        "storage.v1.CSINode": "spec",
        "storage.v1.CSINodeSpec": "drivers",
    }.items()
}
"""Fields that OpenAPI calls required and no server asks for: found by leaving out each required field of valid objects,
put to kube-apiserver 1.37 and 1.30 as a dry run."""

_FORMER: Final = "extensions"
"""A group of Kubernetes' own whose last kinds are gone."""

_VERSION: Final = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[a-z](?:[-a-z0-9]*[a-z0-9])?")
"""What an API version looks like: source: staging/src/k8s.io/kube-aggregator/.../validation.go, ValidateAPIService."""

_NAMELESS: Final = frozenset({("", "LimitRange")})
"""Kinds that the server names when they have no name; source: pkg/registry/core/limitrange/strategy.go."""

_NOT_STORED: Final = frozenset({
    ("", "Binding"),
    ("", "ComponentStatus"),
    ("autoscaling", "Scale"),
    ("policy", "Eviction"),
})
"""Kinds of Kubernetes' own groups that are asked for and not kept, so that no table has them."""


def find_shortcomings(api: KubeApi, value: Any) -> list[Shortcoming]:
    """List what a resource lacks, in the order of its fields; `envcompile.kubernetes.shortcomings` says more."""
    if not isinstance(value, dict):
        return [Shortcoming((), f"a resource is a map, not {_called(json_type(value))}")]
    found = list(_identity(value))
    if any(shortcoming.pointer != ("metadata", "name") for shortcoming in found):
        return found
    group, _, version = value["apiVersion"].rpartition("/")
    kind = value["kind"]
    if _VERSION.fullmatch(value["apiVersion"]) is None:
        return [Shortcoming(("apiVersion",), f"`{value['apiVersion']}` is not VERSION or GROUP/VERSION")]
    if not api.knows(group, kind):
        return list(_unknown(api, value["apiVersion"], group, kind))
    served = api.versions(group, kind)
    if version not in served and api.project(group, kind):
        return found  # another release may serve it: the rule `api-removed` says what is known of it
    if version not in served:
        shown = " and ".join(f"{group}/{name}".removeprefix("/") for name in served)
        who = f"Kubernetes {api.version}" if api.is_built_in(group, kind) else "its CustomResourceDefinition"
        what = f"{kind} is not served as `{value['apiVersion']}` ({who} serves {shown or 'no version'})"
        return [Shortcoming(("apiVersion",), what)]
    node = api.node(group, version, kind)
    if node is not None:
        built_in = api.is_built_in(group, kind)
        loose = not built_in and api.is_loose(group, kind)
        for key, inner in value.items():
            # Metadata are the same of all kinds; what is below `status` is dropped when an object is created.
            said = _judge_field(key, inner, node, (), built_in or key == "metadata")
            is_doubt = (key == "status" and not built_in) or (loose and key != "metadata")
            found += (one._replace(is_certain=False) if is_doubt and not one.is_dropped else one for one in said)
        found += _missing(value, node, (), built_in)
    known = {shortcoming.pointer for shortcoming in found}
    found += (
        Shortcoming(pointer, what) for pointer, what in demands(group, kind, value) if not _covered(pointer, known)
    )
    return found


_SLIP: Final = 0.8
"""How alike two kinds are of which one is a slip of the other: `AdminNetworkPolicy`, which other releases have, is
none of `ClusterNetworkPolicy`."""


def slip_of_kind(api: KubeApi, value: dict[str, Any]) -> tuple[str, str]:
    """What is wrong with a kind that a group of Kubernetes' own lacks, and the kind of the group that is meant.

    Both are empty for any other kind, and for one that only differs by capitals or is in another group; the second one,
    too, where no kind is near (one that is gone, such as PodSecurityPolicy).
    """
    api_version, kind = str(value.get("apiVersion", "")), str(value.get("kind", ""))
    group = api_version.rpartition("/")[0]
    if api.knows(group, kind) or (group, kind) in _NOT_STORED or not api.owns(group):
        return "", ""
    if any(name.casefold() == kind.casefold() for _, name in api.kinds()):
        return "", ""
    near = nearest(kind, [name for of, name in api.kinds() if of == group], limit=1)
    return f"Kubernetes {api.version} has no kind {kind} in `{api_version}`", near[0] if near else ""


def _unknown(api: KubeApi, api_version: str, group: str, kind: str) -> Iterator[Shortcoming]:
    """A kind that a group of Kubernetes' own does not have: nobody else can define one there."""
    is_ours = api.owns(group) or group == _FORMER
    if not is_ours and group in groups():
        near = nearest(kind, kinds_of(group), limit=1, least=_SLIP)
        if near:  # another release of the operator may have it
            what = f"no kind {kind} in `{api_version}` is known: did you mean `{near[0]}`?"
            yield Shortcoming(("kind",), what, is_certain=False)
    if (group, kind) in _NOT_STORED or not is_ours:
        return
    there = [name for of, name in api.kinds() if of == group]
    near = nearest(kind, there, limit=1)
    elsewhere = sorted({
        f"{of}/{api.versions(of, kind)[0]}".removeprefix("/") for of, name in api.kinds() if name == kind
    })
    what = f"Kubernetes {api.version} has no kind {kind} in `{api_version}`"
    if elsewhere:
        yield Shortcoming(("apiVersion",), f"{what}: it is in `{elsewhere[0]}`")
    else:
        yield Shortcoming(("kind",), what + (f": did you mean `{near[0]}`?" if near else ""))


def _identity(value: dict[str, Any]) -> Iterator[Shortcoming]:
    """Every object says its version, its kind and its name.

    Source: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go, ValidateObjectMetaAccessor.
    """
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str) or not value[key]:
            yield Shortcoming((key,), f"`{key}` is missing")
    metadata = value.get("metadata") or {}
    nameless = (str(value.get("apiVersion")).rpartition("/")[0], str(value.get("kind"))) in _NAMELESS
    if isinstance(metadata, dict) and not metadata.get("name") and not metadata.get("generateName") and not nameless:
        yield Shortcoming(("metadata", "name"), "`metadata.name` is missing")


def _covered(pointer: Pointer, known: set[Pointer]) -> bool:
    """Tell whether the field, or one around it, has been complained about."""
    return any(pointer[:length] in known for length in range(len(pointer) + 1))


def _judge(value: Any, node: Node, pointer: Pointer, form: str, built_in: bool) -> Iterator[Shortcoming]:  # ruff: ignore[boolean-type-hint-positional-argument]
    """Walk a value with its schema; an absent value has been dealt with by the map around it."""
    if node.type == "any":
        return
    found = json_type(value)
    if value is None and built_in:
        if node.type == "map" and node.required:
            yield from _missing({}, node, pointer, built_in)
        return  # Go reads a null item as an empty one
    if found not in _ACCEPTED[node.type] and not _is_whole(value, node):
        if value is not None or not node.is_nullable:
            wanted = _CALLED.get(node.type) or _called(node.type)
            yield Shortcoming(pointer, f"{_name(pointer)} is {_called(found)} where {wanted} belongs")
        return
    if node.type == "map":
        for key, inner in value.items():
            yield from _judge_field(key, inner, node, pointer, built_in, form)
        yield from _missing(value, node, pointer, built_in)
    elif node.type == "list" and node.items is not None:
        for index, item in enumerate(value):
            yield from _judge(item, node.items, (*pointer, index), form, built_in)
    elif built_in and isinstance(value, float) and node.type in {"integer", "int-or-string"}:
        what = f"{_name(pointer)} is written with a fraction where an integer belongs"
        fits = node.type == "integer" or misread(value, node.type, form) is None
        yield Shortcoming(pointer, what, is_certain=not fits, becomes=cut(value, form) if fits else None)
    elif built_in and node.type in SCALARS:
        misfit = misread(value, node.type, form)
        if misfit:
            becomes = cut(value, form) if node.type == "integer" else None
            yield Shortcoming(pointer, f"{_name(pointer)} {misfit}", is_certain=becomes is None, becomes=becomes)


def _judge_field(
    key: str,
    inner: Any,
    node: Node,
    pointer: Pointer,
    built_in: bool,  # ruff: ignore[boolean-type-hint-positional-argument]
    form: str = "",
) -> Iterator[Shortcoming]:
    child = node.child(key)
    if child is None:
        if not node.is_open:
            what = f"`{key}` is not a field of {node.name}{_suggestion(key, node)}"
            yield Shortcoming((*pointer, key), what, node.is_certain, is_dropped=True)
    elif built_in and holds_schema(key, node, child):
        for place, schema in enumerate(inner) if isinstance(inner, list) else [(-1, inner)]:
            if isinstance(schema, dict):
                where = (*pointer, key) if place < 0 else (*pointer, key, place)
                yield from (one for one in _judge(schema, node, where, "", True) if not one.is_dropped)
    elif (
        not form
        and type(inner) is str
        and child.type == "string"
        and not (built_in and node.fields and form_of(node, key))
    ):
        return
    elif inner is not None or key not in node.fields:
        # Go reads an explicit null of a field as an absent one, but not as an item of a free map.
        if built_in and node.fields:
            form = form_of(node, key)
        for one in _judge(inner, child, (*pointer, key), form, built_in):
            # A custom resource that is created loses a null in a free map; applied it is refused for it.
            yield one if inner is not None or built_in else one._replace(is_certain=False)


def _missing(value: dict[str, Any], node: Node, pointer: Pointer, built_in: bool) -> Iterator[Shortcoming]:  # ruff: ignore[boolean-type-hint-positional-argument]
    """The required fields that are not there; what is below `status` is dropped when an object is created."""
    if built_in and pointer[:1] == ("status",):
        return
    optional = _OPTIONAL.get(node.name, frozenset()) if built_in else frozenset()
    for key in node.required:
        child = node.child(key)
        if key in optional or (built_in and not pointer and key == "status"):
            continue
        if value.get(key) is None and not (key in value and child is not None and child.is_nullable):
            yield Shortcoming((*pointer, key), f"`{key}` is missing in {node.name}", node.is_certain)


def form_of(node: Node, key: str) -> str:
    """What a field of a built-in type is read as."""
    return _forms(node.name).get(key, "")


def holds_schema(key: str, node: Node, child: Node) -> bool:
    """Tell whether a field of a built-in type holds schemas in a way of which its own schema does not tell."""
    return child.type == "any" and key in _SCHEMAS and node.name.endswith(".JSONSchemaProps")


def is_fine(key: str, value: Any, node: Node, form: str, child: Node) -> bool:
    """Tell whether a text, number or boolean of a built-in kind is what a field is to hold, or an item of a list.

    Args:
        key: the field; empty for an item of a list.
        value: the value.
        node: the map or list around it.
        form: what the values of a free map or list are read as.
        child: the schema of the value.
    """
    found = (
        _judge_field(key, value, node, (), built_in=True, form=form) if key else _judge(value, child, (), form, True)
    )
    return next(iter(found), None) is None


def required_of(node: Node, *, top: bool) -> list[str]:
    """The fields of a map of a built-in kind that must be there; `top` for a whole object."""
    optional = _OPTIONAL.get(node.name, frozenset())
    return [key for key in node.required if key not in optional and not (top and key == "status")]


@cache
def _forms(name: str) -> Mapping[str, str]:
    return formats().get(_short(name), {})


def _short(name: str) -> str:
    """The name of a type as the tables have it."""
    for first, prefix in GROUP_PREFIXES.items():
        if name.startswith(f"{prefix}{first}."):
            return name.removeprefix(prefix)
    return name.removeprefix(TYPE_PREFIX)


def _is_whole(value: Any, node: Node) -> bool:
    return node.type in {"integer", "int-or-string"} and isinstance(value, float) and value.is_integer()


def _suggestion(key: str, node: Node) -> str:
    near = nearest(key, node.fields, limit=1)
    return f": did you mean `{near[0]}`?" if near else ""


def _called(type_: str) -> str:
    if type_ == "null":
        return "null"
    return f"{'an' if type_[0] in 'aeio' else 'a'} {type_}"


def _name(pointer: Pointer) -> str:
    """Name a field by its last key, and an item of a list by its list and position."""
    if not pointer:
        return "the resource"
    last = pointer[-1]
    if isinstance(last, str):
        return f"`{last}`"
    return f"item {last} of {_name(pointer[:-1])}"
