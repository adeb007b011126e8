"""What is refused of ResourceSlices and the devices in them.

Sources: pkg/apis/resource/validation/validation.go of kubernetes/kubernetes, each function names its own there; the
declarative tags of staging/src/k8s.io/api/resource/v1/types.go.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.devices import own_name, pool_name
from envcompile.check.api.names import qualified, subdomain
from envcompile.check.reading import at, list_at, map_at, maps_at, text_at
from envcompile.kubernetes.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_VERSION: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
_VALUES: Final = ("bool", "bools", "int", "ints", "string", "strings", "version", "versions")
_LONGEST_VALUE: Final = 64
_MOST_OF_DEVICE: Final = 32
_MOST_TAINTED: Final = 64
_MOST_VALUES: Final = 10
_PLACES: Final = ("nodeName", "nodeSelector", "allNodes")


def pool(value: dict[str, Any], _: Place) -> Said:
    """Source: validateResourcePool."""
    if what := pool_name(value.get("name")):
        yield ("name",), f"`name` {what}"
    if value.get("resourceSliceCount") is None:
        yield ("resourceSliceCount",), "`resourceSliceCount` is missing"


def slice_spec(spec: dict[str, Any], _: Place) -> Said:
    """Where the devices are, and devices that stand once; source: validateResourceSliceSpec."""
    there = []
    for field in ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection"):
        given = spec.get(field)
        if given is False:
            yield (field,), f"`{field}` may only be true"
        elif given is not None and given != "":
            there.append(field)
    if not there:
        yield (), "none of `nodeName`, `nodeSelector`, `allNodes` and `perDeviceNodeSelection` is there: one must be"
    elif len(there) > 1:
        yield (), f"`{there[0]}` and `{there[1]}` stand beside each other: only one may be there"
        yield (there[1],), f"`{there[0]}` and `{there[1]}` stand beside each other: only one may be there"
    terms = at(spec, "nodeSelector", "nodeSelectorTerms")
    if isinstance(terms, list) and len(terms) > 1:
        yield ("nodeSelector", "nodeSelectorTerms"), "more than one term is there"
    if spec.get("sharedCounters") is not None and spec.get("devices") is not None:
        yield (), "`sharedCounters` and `devices` stand beside each other: only one may be there"
        yield ("sharedCounters",), "`sharedCounters` and `devices` stand beside each other: only one may be there"
    sets = [text_at(item, "name") for _, item in maps_at(spec, "sharedCounters")]
    for index, name in enumerate(sets):
        if name and name in sets[:index]:
            yield ("sharedCounters", index), f"two sets of counters are called `{name}`"
    seen: set[str] = set()
    devices = list(maps_at(spec, "devices"))
    for index, item in devices:
        name = text_at(item, "name")
        if name and name in seen:
            yield ("devices", index), f"two devices are called `{name}`"
            yield ("devices", index, "name"), f"two devices are called `{name}`"
        seen.add(name)
    if len(devices) > _MOST_TAINTED and any(item.get("taints") or item.get("consumesCounters") for _, item in devices):
        yield ("devices",), f"more than {_MOST_TAINTED} devices are there, and one has taints or counters"


def device(value: dict[str, Any], place: Place) -> Said:
    """Names and values of attributes and capacities, and where it is; source: validateDevice."""
    for field in ("attributes", "capacity"):
        for key, item in map_at(value, field).items():
            if what := own_name(key):
                yield (field, key), f"the key `{key}` in `{field}` {what}"
            if field == "attributes":
                yield from _attribute({} if item is None else item, (field, key))
            elif isinstance(item, dict) and isinstance(item.get("requestPolicy"), dict):
                yield from _policy(item, is_shared=value.get("allowMultipleAllocations") is True, where=(field, key))
    if len(map_at(value, "attributes")) + len(map_at(value, "capacity")) > _MOST_OF_DEVICE:
        yield (), f"more than {_MOST_OF_DEVICE} attributes and capacities are there"
    yield from _place_of(value, is_own=at(place.root, "spec", "perDeviceNodeSelection") is True)
    yield from _bindings(value)


def _place_of(value: dict[str, Any], *, is_own: bool) -> Said:
    there = [field for field in _PLACES if value.get(field) is not None]
    if not is_own:
        if there:
            yield (there[0],), f"`{there[0]}` of a device needs `perDeviceNodeSelection: true` in the slice"
            yield (), f"`{there[0]}` of a device needs `perDeviceNodeSelection: true` in the slice"
        return
    name = value.get("nodeName")
    if isinstance(name, str) and (what := subdomain(name) if name else "is empty"):
        yield ("nodeName",), f"`nodeName` {what}"
    if value.get("allNodes") is False:
        yield ("allNodes",), "`allNodes` may only be true"
    if len([field for field in there if value[field] != "" and value[field] is not False]) != 1:
        yield (), "not exactly one of `nodeName`, `nodeSelector` and `allNodes` is there: `perDeviceNodeSelection` asks"


def _bindings(value: dict[str, Any]) -> Said:
    """Source: validateDeviceBindingParameters."""
    done, failed = list_at(value, "bindingConditions"), list_at(value, "bindingFailureConditions")
    for field, items in (("bindingConditions", done), ("bindingFailureConditions", failed)):
        for index, item in enumerate(items):
            if isinstance(item, str) and (what := qualified(item)):
                yield (field, index), f"item {index} of `{field}` {what}"
            elif item in items[:index]:
                yield (field, index), f"`{item}` stands twice"
            elif items is failed and item in done:
                yield (field, index), f"`{item}` is among `bindingConditions`, too"
    if bool(done) is not bool(failed):
        missing = "bindingFailureConditions" if done else "bindingConditions"
        yield (missing,), f"`{missing}` is missing: the one needs the other"


def _policy(capacity: dict[str, Any], *, is_shared: bool, where: Pointer) -> Said:
    """Source: validateRequestPolicy, validateRequestPolicyValidValues, validateRequestPolicyRange."""
    policy, where = capacity["requestPolicy"], (*where, "requestPolicy")
    values, span, default = list_at(policy, "validValues"), policy.get("validRange"), quantity(policy.get("default"))
    if not is_shared:
        yield where, "`requestPolicy` needs `allowMultipleAllocations: true` in the device"
    elif values and span is not None:
        yield where, "`validValues` and `validRange` stand beside each other: only one may be there"
    elif (values or span is not None) and default is None:
        yield (*where, "default"), "`default` is missing: `validValues` and `validRange` need it"
    elif values:
        yield from _valid_values(
            values, default, quantity(capacity.get("value")) or Fraction(), (*where, "validValues")
        )
    elif isinstance(span, dict):
        yield from _valid_range(span, default, quantity(capacity.get("value")) or Fraction(), (*where, "validRange"))


def _valid_values(values: list[Any], default: Any, top: Any, where: Pointer) -> Said:
    read = [quantity(one) or Fraction() for one in values]
    for index, amount in enumerate(read):
        if amount > top:
            yield (*where, index), f"item {index} of `validValues` is more than the capacity"
        elif amount in read[:index]:
            yield (*where, index), f"item {index} of `validValues` stands twice"
        elif index and amount < read[index - 1]:
            yield (*where, index), "`validValues` are not in ascending order"
    if len(values) > _MOST_VALUES:
        yield where, f"`validValues` has more than {_MOST_VALUES} items"
    if default not in read:
        yield where, "`default` is none of `validValues`"


def _valid_range(span: dict[str, Any], default: Any, top: Any, where: Pointer) -> Said:
    least, most, step = (quantity(span.get(field)) for field in ("min", "max", "step"))
    if least is None:
        yield (*where, "min"), "`min` is missing"
        return
    if least > top:
        yield (*where, "min"), "`min` is more than the capacity"
    if default < least or (most is not None and default > most):
        yield (*where, "default"), "`default` is not between `min` and `max`"
    if most is not None and (least > most or most > top):
        yield (*where, "max"), "`max` is less than `min`" if least > most else "`max` is more than the capacity"
    if step is None:
        return
    if step <= 0 or least + step > top:
        yield (*where, "step"), "`step` is not greater than 0" if step <= 0 else "one `step` is more than the capacity"
    elif (default - least) % step or (most is not None and (most - least) % step):
        yield (*where, "step"), "`default` or `max` is not a number of steps away from `min`"


def _attribute(item: Any, where: Pointer) -> Said:
    if not isinstance(item, dict):
        return
    there = [field for field in _VALUES if item.get(field) is not None]
    if len(there) != 1:
        yield where, "not exactly one of `bool`, `int`, `string`, `version` and their lists is there"
    for field in ("string", "version"):
        text = item.get(field)
        if isinstance(text, str) and len(text.encode()) > _LONGEST_VALUE:
            yield (*where, field), f"`{field}` has more than 64 characters"
        elif field == "version" and isinstance(text, str) and _VERSION.fullmatch(text) is None:
            yield (*where, field), "`version` is no version as of semver.org: 1.2.3"


RULES: Final[Mapping[str, Validator]] = {
    "resource.v1.Device": device,
    "resource.v1.ResourcePool": pool,
    "resource.v1.ResourceSliceSpec": slice_spec,
}
