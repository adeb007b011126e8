"""What selectors of devices may cost, as the API server estimates it before it takes them.

Sources: k8s.io/dynamic-resource-allocation cel/compile.go (newCompiler, sizeEstimator) and validateCELSelector of
pkg/apis/resource/validation/validation.go; the limits are those of staging/src/k8s.io/api/resource/v1/types.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.cel.engine import RefusedError, engine_for_devices
from envcompile.check.cel.estimates import most
from envcompile.check.cel.shapes import Shape
from envcompile.check.cel.tree import DYN, CelType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.model import Pointer

LIMIT: Final = 1_000_000
"""The most that a selector may be estimated at (CELSelectorExpressionMaxCost)."""
SINCE: Final = 32
"""The minor version from which it is estimated."""
_TEXT: Final = CelType("string")
_MOST: Final = 32
"""Attributes, or capacities, of a device."""
_DOMAIN: Final = Shape(_TEXT, 63)
_ID: Final = Shape(_TEXT, 32)
_ATTRIBUTE: Final = Shape(DYN, 64)
_QUANTITY: Final = CelType("kubernetes.Quantity")
_TRUTH: Final = CelType("bool")


def _map(keys: Shape, values: Shape, others: Shape | None = None) -> Shape:
    return Shape(CelType("map", (_TEXT, values.type)), _MOST, items=values, keys=keys, others=others)


_ATTRIBUTES: Final = _map(_DOMAIN, _map(_ID, _ATTRIBUTE, others=_ATTRIBUTE))
_CAPACITY: Final = _map(_DOMAIN, _map(_ID, Shape(_QUANTITY)))
_FIELDS: Final[Mapping[str, Shape]] = {
    "driver": Shape(_TEXT, 63),
    "attributes": _ATTRIBUTES,
    "capacity": _CAPACITY,
    "allowMultipleAllocations": Shape(_TRUTH, 1),
}
_DEVICE: Final = Shape(CelType("object"), fields=_FIELDS)
_NAMES: Final[Mapping[str, CelType]] = {
    "device": DYN,
    **{f"device.{name}": shape.type for name, shape in _FIELDS.items()},
}


def cost(text: str, version: str) -> int | None:
    """What a selector costs at most; None for one that the engine does not take: others say what is wrong with it.

    Args:
        text: the expression.
        version: of Kubernetes, such as `1.37`.
    """
    try:
        program = engine_for_devices(version).compile(text, _NAMES, is_typed=False)
    except RefusedError:
        return None
    return most(program.checked, _DEVICE, ("device",))


def selectors(value: Any, way: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    """The expressions of all selectors in an object, each with the way to it."""
    if isinstance(value, dict):
        inner = value.get("cel")
        if isinstance(inner, dict) and isinstance(inner.get("expression"), str):
            yield (*way, "cel", "expression"), inner["expression"]
        for key, item in value.items():
            yield from selectors(item, (*way, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from selectors(item, (*way, index))
