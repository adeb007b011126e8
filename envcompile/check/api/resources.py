"""What is refused of names and amounts of resources: of containers, limits and quotas.

Sources: pkg/apis/core/validation/validation.go; the sets of names are those of pkg/apis/core/helper/helpers.go.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.names import qualified
from envcompile.check.reading import list_at, map_at, maps_at, text_at
from envcompile.kubernetes.podrequests import requested
from envcompile.kubernetes.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_CONTAINER: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTED: Final = frozenset({
    "pods", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
_QUOTA: Final = _COUNTED | {
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
    "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
}  # fmt: skip
_STANDARD: Final = _QUOTA | {"storage"}
_COMPUTE: Final = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_MOST_IN_THOUSANDTHS: Final = (2**63 - 1) // 1000
"""Amounts that are compared with their thousandths (MaxMilliValue); larger ones are rounded up."""
"""Amounts from which on the server counts with other numbers than those that are written."""

_LIMIT_TYPES: Final = frozenset({"Pod", "Container", "PersistentVolumeClaim"})
_SCOPES: Final = frozenset({
    "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
    "VolumeAttributesClass",
})  # fmt: skip
_OPPOSED: Final = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))


def _is_huge(name: str) -> bool:
    return name.startswith("hugepages-")


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _is_extended(name: str) -> bool:
    if _is_native(name) or name.startswith("requests."):
        return False
    return qualified(f"requests.{name}") is None


_USUAL: Final = frozenset({"cpu", "memory"})


def _allows_overcommit(name: str) -> bool:
    return _is_native(name) and not _is_huge(name)


def _is_counted(name: str) -> bool:
    return name in _COUNTED or _is_extended(name)


def resource_name(name: str) -> str | None:
    """Any resource; source: validateResourceName."""
    if what := qualified(name):
        return what
    if "/" not in name and name not in _STANDARD and not _is_huge(name.removeprefix("requests.")):
        return "is neither a resource of Kubernetes nor one with a DNS name and `/` before it"
    return None


def container_resource(name: str) -> str | None:
    """A resource of a container; source: ValidateContainerResourceName."""
    if what := resource_name(name):
        return what
    if "/" not in name:
        return None if name in _CONTAINER or _is_huge(name) else "is no resource of containers"
    if not _is_native(name) and not _is_extended(name):
        return "is no name of an extended resource"
    return None


def _pod_resource(name: str) -> str | None:
    if what := resource_name(name):
        return what
    return None if name in {"cpu", "memory"} or _is_huge(name) else "is no resource of a whole pod: cpu, memory"


def _amount(name: str, value: Any) -> str | None:
    """Source: ValidateResourceQuantityValue."""
    found = quantity(value)
    if found is None:
        return None
    if found < 0:
        return "is negative"
    if _is_counted(name) and (found.denominator != 1 or _is_lost(str(value), found)):
        return "is no whole number"
    return None


def _is_lost(text: str, amount: Fraction) -> bool:
    """Tell whether the thousandths of a number, cut to 64 bits, are no whole number: what the server asks.

    Source: Quantity.MilliValue of apimachinery's api/resource; decimal suffixes and exponents are counted otherwise.
    """
    if not text.isdecimal() and not (text.endswith("i") and amount < 2**63):
        return False
    low = int(amount) * 1000 % 2**64
    return (low - 2**64 if low >= 2**63 else low) % 1000 != 0


@lru_cache(maxsize=4096)
def is_usual(name: str, given: str) -> bool:
    """Tell whether an amount of cpu or memory is right, of a container or of a pod: most are the same few."""
    return name in _USUAL and _amount(name, given) is None


@lru_cache(maxsize=4096)
def is_within(name: str, given: str, most: str) -> bool:
    """Tell whether a request of cpu or memory is below its limit."""
    requested, limit = quantity(given), quantity(most)
    return name in _USUAL and requested is not None and limit is not None and requested <= limit


def requirements(value: dict[str, Any], place: Place) -> Said:
    """Requests and limits; source: validateResourceRequirements."""
    of_pod = place.pointer[-1:] == ("resources",) and place.pointer[-2:-1] == ("spec",)
    name_of = _pod_resource if of_pod else container_resource
    limits, requests = map_at(value, "limits"), map_at(value, "requests")
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, given in amounts.items():
            if isinstance(given, str) and is_usual(name, given):
                continue
            what = name_of(name) or _amount(name, given) or _page(name, given)
            if what:
                yield (field, name), f"`{name}` in `{field}` {what}"
    for name, given in requests.items():
        if name in limits and isinstance(given, str) and is_within(name, given, str(limits[name])):
            continue
        requested, limit = quantity(given), quantity(limits.get(name))
        if name not in limits:
            if not _allows_overcommit(name):
                yield ("limits",), f"`limits` do not name `{name}`: no more of it can be requested than there is"
        elif requested is None or limit is None:
            continue
        elif not _allows_overcommit(name) and requested != limit:
            yield ("requests",), f"the request of `{name}` differs from its limit: no more can be had than there is"
        elif requested > limit:
            yield ("requests",), f"the request of `{name}` is more than its limit"
    names = {*limits, *requests}
    if any(map(_is_huge, names)) and not names & {"cpu", "memory"}:
        yield (), "huge pages need `cpu` or `memory` beside them"


def _page(name: str, value: Any) -> str | None:
    """Huge pages come whole; source: validateResourceQuantityHugePageValue."""
    if not _is_huge(name):
        return None
    size, found = quantity(name.removeprefix("hugepages-")), quantity(value)
    if size is None or size <= 0:
        return "names a size of pages that is none"
    return "is no multiple of the page's size" if found is not None and (found % size or found < 0) else None


def within_pod(spec: dict[str, Any], place: Place) -> Said:
    """Limits of containers below those of the pod, and requests together; source: validatePodResourceConsistency."""
    limits, requests = map_at(spec, "resources", "limits"), map_at(spec, "resources", "requests")
    if not limits and not requests:
        return
    for index, item in maps_at(spec, "containers"):
        for name, given in map_at(item, "resources", "limits").items():
            if _above(quantity(given), quantity(limits.get(name))):
                yield ("containers", index, "resources", "limits", name), f"the limit of `{name}` is above the pod's"
    sides = ("requests", "limits") if place.kind == "Pod" else ("requests",)  # a template's limits request nothing
    asking = {
        field: [
            {**item, "resources": {side: map_at(item, "resources", side) for side in sides}}
            for _, item in maps_at(spec, field)
        ]
        for field in ("containers", "initContainers")
    }
    for name, whole in requests.items():
        together = requested(asking, name)
        if _above(together, quantity(whole)):
            yield ("resources", "requests", name), f"the containers request more `{name}` than the pod"


def pod_resources(spec: dict[str, Any], place: Place) -> Said:
    """What a pod says of its resources as a whole."""
    yield from overhead(spec, place)
    yield from within_pod(spec, place)


def overhead(value: dict[str, Any], _: Place) -> Said:
    """What the sandbox of a pod takes; source: validateOverhead."""
    field = "podFixed" if "podFixed" in value else "overhead"
    amounts = map_at(value, field)
    for name, given in amounts.items():
        what = container_resource(name) or _amount(name, given) or _page(name, given)
        if what:
            yield (field, name), f"`{name}` in `{field}` {what}"
    if any(map(_is_huge, amounts)) and not amounts.keys() & {"cpu", "memory"}:
        yield (field,), "huge pages need `cpu` or `memory` beside them"


def limit_range(value: dict[str, Any], _: Place) -> Said:
    """Types that stand once; source: ValidateLimitRange."""
    seen: set[str] = set()
    for index, item in maps_at(value, "limits"):
        kind = text_at(item, "type")
        if kind and kind in seen:
            yield ("limits", index, "type"), f"two limits are of type {kind}"
        seen.add(kind)


def limit(value: dict[str, Any], _: Place) -> Said:
    """One limit, whose amounts fit each other; source: ValidateLimitRange."""
    kind = text_at(value, "type")
    if kind:
        what = qualified(kind)
        if not what and "/" not in kind and kind not in _LIMIT_TYPES:
            what = f"is not one of {', '.join(sorted(_LIMIT_TYPES))}"
        if what:
            yield ("type",), f"`type` {what}"
    name_of: Callable[[str], str | None] = container_resource if kind in {"Pod", "Container"} else resource_name
    for field in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
        if kind == "Pod" and field.startswith("default"):
            if value.get(field):
                yield (field,), f"`{field}` cannot be there for `type: Pod`"
            continue
        for name in map_at(value, field):
            if what := name_of(name):
                yield (field, name), f"`{name}` in `{field}` {what}"
    if kind == "PersistentVolumeClaim" and not {"storage"} & {*map_at(value, "min"), *map_at(value, "max")}:
        yield (), "neither `min` nor `max` says `storage`"
    yield from _limit_amounts(value, kind)


def _limit_amounts(value: dict[str, Any], kind: str) -> Said:
    fields = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
    for name in {name for field in fields for name in map_at(value, field)}:
        least, top, given, request, ratio = (quantity(map_at(value, field).get(name)) for field in fields)
        if kind == "Pod":
            given = request = None
        if _above(least, top):
            yield ("min", name), f"`min` of `{name}` is more than its `max`"
        if _above(least, request):
            yield ("defaultRequest", name), f"`defaultRequest` of `{name}` is less than its `min`"
        if _above(request, top):
            yield ("defaultRequest", name), f"`defaultRequest` of `{name}` is more than its `max`"
        if _above(request, given):
            yield ("defaultRequest", name), f"`defaultRequest` of `{name}` is more than its `default`"
        if _above(least, given):
            yield ("default", name), f"`default` of `{name}` is less than its `min`"
        if _above(given, top):
            yield ("default", name), f"`default` of `{name}` is more than its `max`"
        if ratio is not None and ratio < 1:
            yield ("maxLimitRequestRatio", name), f"the ratio of `{name}` is less than 1"
        elif ratio is not None and least and top is not None and _is_above_ratio(ratio, top, least):
            yield ("maxLimitRequestRatio", name), f"the ratio of `{name}` is more than `max` by `min`"
        if not _allows_overcommit(name) and given is not None and request is not None and given != request:
            yield ("defaultRequest", name), f"`defaultRequest` of `{name}` differs from its `default`"


def _is_above_ratio(ratio: Fraction, top: Fraction, least: Fraction) -> bool:
    if max(map(ceil, (ratio, top, least))) < _MOST_IN_THOUSANDTHS:
        ratio, top, least = (Fraction(ceil(amount * 1000), 1000) for amount in (ratio, top, least))
    else:
        ratio, top, least = (Fraction(ceil(amount)) for amount in (ratio, top, least))
    return ratio * least > top


def _above(left: Any, right: Any) -> bool:
    return left is not None and right is not None and bool(left > right)


def _valid_scope(scope: Any, name: str) -> bool:
    """Tell whether a scope can be applied to a resource; source: IsResourceQuotaScopeValidForResource."""
    if scope in {"Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"}:
        return name == "pods" or name in _COMPUTE or name in {
            "ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage",
        }  # fmt: skip
    if scope == "BestEffort":
        return name == "pods"
    if scope == "VolumeAttributesClass":
        return name in {"persistentvolumeclaims", "requests.storage"}
    return True


def quota(spec: dict[str, Any], _: Place) -> Said:
    """Names, amounts and scopes of a quota; source: ValidateResourceQuotaSpec."""
    hard = map_at(spec, "hard")
    for name, given in hard.items():
        what = resource_name(name)
        if not what and "/" not in name and name not in _QUOTA and not _is_huge(name.removeprefix("requests.")):
            what = "is no resource of quotas"
        what = what or _amount(name, given)
        if what:
            yield ("hard", name), f"`{name}` in `hard` {what}"
    standard = [name for name in hard if name in _QUOTA or _is_huge(name.removeprefix("requests."))]
    scopes = list_at(spec, "scopes")
    if any(not _valid_scope(scope, name) for scope in scopes for name in standard):
        yield ("scopes",), "a scope cannot be applied to a resource of `hard`"
    if any(left in scopes and right in scopes for left, right in _OPPOSED):
        yield ("scopes",), "two scopes exclude each other"
    yield from _scope_selector(spec, standard)


def _scope_selector(spec: dict[str, Any], standard: list[str]) -> Said:
    where: Pointer = ("scopeSelector", "matchExpressions")
    seen: set[str] = set()
    for index, item in maps_at(spec, *map(str, where)):
        scope, operator, values = text_at(item, "scopeName"), text_at(item, "operator"), list_at(item, "values")
        if scope not in _SCOPES:
            yield (*where, index, "scopeName"), f"`scopeName` is not one of {', '.join(sorted(_SCOPES))}"
        elif any(not _valid_scope(scope, name) for name in standard):
            yield (*where, index), f"the scope {scope} cannot be applied to a resource of `hard`"
        if operator in {"In", "NotIn"} and not values:
            yield (*where, index, "values"), f"`values` is missing: the operator {operator} compares with them"
        elif operator in {"Exists", "DoesNotExist"} and values:
            yield (*where, index, "values"), f"`values` stands beside the operator {operator}"
        elif operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
            yield (*where, index, "operator"), "`operator` is not one of DoesNotExist, Exists, In, NotIn"
        if operator != "Exists" and scope in _SCOPES - {"PriorityClass", "VolumeAttributesClass"}:
            yield (*where, index, "operator"), f"`operator` of the scope {scope} is not Exists"
        seen.add(scope)
    if any(left in seen and right in seen for left, right in _OPPOSED):
        yield ("scopes",), "two scopes exclude each other"


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.LimitRangeItem": limit,
    "core.v1.LimitRangeSpec": limit_range,
    "core.v1.PodSpec": pod_resources,
    "core.v1.ResourceQuotaSpec": quota,
    "core.v1.ResourceRequirements": requirements,
    "node.v1.Overhead": overhead,
}
