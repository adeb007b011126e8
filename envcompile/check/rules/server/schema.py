"""The rule `schema`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.mend import Mend, as_written
from envcompile.check.reading import at
from envcompile.check.rule import Rule
from envcompile.check.schema import complaints
from envcompile.check.standards import minor_of
from envcompile.check.versions import is_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Pointer, Resource


def _find(inputs: CheckInput) -> Iterator[Hit]:
    fates = "the API server refuses it, or drops the field"
    fix = f"write it as the API of Kubernetes {inputs.api.version} has it: {fates}"
    own_fix = f"write it as the CustomResourceDefinition has it: {fates}"
    minor = minor_of(inputs.api.version)
    for resource in inputs.resources:
        found = complaints(inputs.api, resource.value, is_right_by_tables=id(resource.value) in inputs.right)
        if not found:
            continue
        gone = is_gone(resource, minor)
        advice = fix if inputs.api.is_built_in(resource.id.group, resource.id.kind) else own_fix
        for pointer, what, severity, _ in found:
            if gone and pointer == ("apiVersion",):
                continue  # the rule `api-removed` says so, and since when
            beside = tuple(_named_beside(resource.value, pointer, what))
            yield Hit(resource.id, pointer, what, advice, None if severity == "error" else severity, what, beside)


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


RULE: Final = Rule(
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
