"""What is refused of devices, their classes, claims and slices.

Sources: pkg/apis/resource/validation/validation.go of kubernetes/kubernetes, each function names its own there; the
declarative tags of staging/src/k8s.io/api/resource/v1/types.go.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.meta import free_notes, labels
from envcompile.check.api.names import identifier, label, subdomain
from envcompile.check.reading import list_at, map_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator

_LONGEST_ID: Final = 32
_LONGEST_DOMAIN: Final = 63
_LONGEST_POOL: Final = 253
_MOST_PARAMETERS: Final = 10 * 1024


def claim(value: dict[str, Any], _: Place) -> Said:
    """Requests that stand once, and references to them; source: validateDeviceClaim."""
    known: dict[str, set[str]] = {}
    for index, item in maps_at(value, "requests"):
        name = text_at(item, "name")
        if name and name in known:
            yield ("requests", index), f"two requests are called `{name}`"
        subs: set[str] = set()
        for position, sub in maps_at(item, "firstAvailable"):
            sub_name = text_at(sub, "name")
            if sub_name and sub_name in subs:
                yield ("requests", index, "firstAvailable", position), f"two requests are called `{sub_name}`"
            subs.add(sub_name)
        known.setdefault(name, subs)
    for field in ("constraints", "config"):
        for index, item in maps_at(value, field):
            for position, text in enumerate(list_at(item, "requests")):
                reference = "" if text is None else text
                if isinstance(reference, str) and (what := _reference(reference, known)):
                    yield (field, index, "requests", position), f"item {position} of `requests` {what}"


def _reference(text: str, known: Mapping[str, set[str]]) -> str | None:
    parts = text.split("/")
    if len(parts) > 2:
        return "is not REQUEST or REQUEST/SUBREQUEST"
    for part in parts:
        if what := label(part):
            return what
    if parts[0] not in known or (len(parts) > 1 and parts[1] not in known[parts[0]]):
        return "is no request of the claim"
    return None


def request(value: dict[str, Any], _: Place) -> Said:
    """One way to ask; source: validateDeviceRequest."""
    exactly, first = value.get("exactly") is not None, bool(value.get("firstAvailable"))
    if exactly and first:
        yield (), "`exactly` and `firstAvailable` stand beside each other: only one may be there"
        yield ("firstAvailable",), "`exactly` and `firstAvailable` stand beside each other: only one may be there"
    elif not exactly and not first:
        yield (), "neither `exactly` nor `firstAvailable` is there: one must be"


def mode(value: dict[str, Any], _: Place) -> Said:
    """A number for one mode only; source: validateDeviceAllocationMode."""
    kind, count = value.get("allocationMode"), value.get("count")
    if kind == "All" and count:
        yield ("count",), "`count` cannot be there for `allocationMode: All`"
    elif kind in {None, "", "ExactCount"} and isinstance(count, int) and count < 0:
        yield ("count",), "`count` is not greater than 0"


def full_name(text: Any) -> str | None:
    """DOMAIN/ID; source: validateFullyQualifiedName, the format k8s-resource-fully-qualified-name.

    With more than one `/` nothing is looked at there, as the server's own comment says.
    """
    if not isinstance(text, str) or text.count("/") > 1:
        return None
    domain, slash, name = text.partition("/")
    if not slash:
        return "is not DOMAIN/ID"
    return _domain(domain) or _id(name)


def _domain(text: str) -> str | None:
    return subdomain(text) or ("has a domain of more than 63 characters" if len(text) > _LONGEST_DOMAIN else None)


def _id(text: str) -> str | None:
    if len(text) > _LONGEST_ID:
        return "has an ID of more than 32 characters"
    return identifier(text)


def own_name(text: str) -> str | None:
    """ID or DOMAIN/ID, whose capitals do not matter; source: validateQualifiedName."""
    domain, slash, name = text.partition("/")
    return full_name(f"{domain.lower()}/{name}") if slash else _id(text) if text else "is empty"


def constraint(value: dict[str, Any], _: Place) -> Said:
    """Source: validateDeviceConstraint."""
    for field in ("matchAttribute", "distinctAttribute"):
        if value.get(field) is not None and (what := full_name(value[field])):
            yield (field,), f"`{field}` {what}"


def opaque(value: dict[str, Any], _: Place) -> Said:
    """Parameters that are an object; source: validateRawExtension."""
    given = value.get("parameters")
    if given is not None and not isinstance(given, dict):
        yield ("parameters",), "`parameters` is no map"
    elif given is not None and len(json.dumps(given, separators=(",", ":"), default=str)) > _MOST_PARAMETERS:
        yield ("parameters",), "`parameters` has more than 10 KiB"


def toleration(value: dict[str, Any], _: Place) -> Said:
    """Operator and value; source: validateDeviceToleration."""
    operator = value.get("operator")
    if operator == "Exists" and value.get("value"):
        yield ("value",), "`operator: Exists` compares with no `value`"
    elif operator in {None, "", "Equal"}:
        from envcompile.check.api.names import label_value

        if what := label_value(value.get("value")):
            yield ("value",), f"`value` {what}"


def template(value: dict[str, Any], _: Place) -> Said:
    """Labels and annotations only; source: ValidateTemplateObjectMeta."""
    meta = map_at(value, "metadata")
    yield from labels(meta, ("metadata",))
    yield from free_notes(meta, ("metadata",))
    for field, given in meta.items():
        if field not in {"labels", "annotations"} and given not in (None, "", [], {}):
            yield ("metadata", field), f"`{field}` cannot be there in a template"


def pool_name(text: Any) -> str | None:
    """DNS names separated by `/`; source: validatePoolName."""
    if not isinstance(text, str) or not text:
        return None
    if len(text) > _LONGEST_POOL:
        return "has more than 253 characters"
    return next((what for part in text.split("/") if (what := subdomain(part))), None)


def taint_selector(value: dict[str, Any], _: Place) -> Said:
    """Source: validateDeviceTaintSelector."""
    if value.get("pool") is not None and (what := "is empty" if value["pool"] == "" else pool_name(value["pool"])):
        yield ("pool",), f"`pool` {what}"


def cel(value: dict[str, Any], _: Place) -> Said:
    """An expression that says something."""
    text = value.get("expression")
    if isinstance(text, str) and text and not text.strip():
        yield ("expression",), "`expression` is blank"


RULES: Final[Mapping[str, Validator]] = {
    "resource.v1.CELDeviceSelector": cel,
    "resource.v1.DeviceClaim": claim,
    "resource.v1.DeviceConstraint": constraint,
    "resource.v1.DeviceRequest": request,
    "resource.v1.DeviceSubRequest": mode,
    "resource.v1.DeviceTaintSelector": taint_selector,
    "resource.v1.DeviceToleration": toleration,
    "resource.v1.ExactDeviceRequest": mode,
    "resource.v1.OpaqueDeviceConfiguration": opaque,
    "resource.v1.ResourceClaimTemplateSpec": template,
}
