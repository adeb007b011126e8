"""Reading values whose shape nobody has checked yet: what has another shape counts as absent."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from fractions import Fraction

    from envcompile.model import Pointer

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,2})|([KMGTPE]i|[numkMGTPE])?)")
_SUFFIXES: Final[Mapping[str, tuple[int, int]]] = {
    "": (1, 1),
    **{suffix: (1024**power, 1) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: (1000**power, 1) for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: (1, 1000**power) for power, suffix in enumerate(("m", "u", "n"), 1)},
}
"""By what a number is multiplied and divided."""


def at(value: Any, *path: str | int) -> Any:
    """The value at the end of a path of keys and positions; None when the way ends before."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def map_at(value: Any, *path: str | int) -> dict[str, Any]:
    """The map at the end of a path; empty when there is none."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def text_at(value: Any, *path: str | int) -> str:
    """The string at the end of a path; empty when there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number_at(value: Any, *path: str | int) -> int | None:
    """The whole number at the end of a path; None when there is none."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def scalar_at(value: Any, *path: str | int) -> int | str | None:
    """The number or string at the end of a path, such as a port; None when there is neither."""
    found = at(value, *path)
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def list_at(value: Any, *path: str | int) -> list[Any]:
    """The list at the end of a path; empty when there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def texts_at(value: Any, *path: str | int) -> list[str]:
    """The strings in the list at the end of a path."""
    return [item for item in list_at(value, *path) if isinstance(item, str)]


def maps_at(value: Any, *path: str | int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The maps in the list at the end of a path, each with its position."""
    for position, item in enumerate(list_at(value, *path)):
        if isinstance(item, dict):
            yield position, item


def strings_at(value: Any, *path: str | int) -> dict[str, str]:
    """The pairs of strings in the map at the end of a path: labels, annotations, data."""
    return {key: item for key, item in map_at(value, *path).items() if isinstance(item, str)}


def quantity(value: Any) -> Fraction | None:
    """A quantity as Kubernetes writes it (`250m`, `1.5Gi`, `2`); None for what is none.

    Source: k8s.io/apimachinery/pkg/api/resource, the grammar above `type Quantity`.
    """
    return _amount(str(value)) if isinstance(value, str | int | float) and value is not True else None


def sign(value: Any) -> int | None:
    """1 for a quantity above zero, -1 for one below it, 0 for zero; None for what is no quantity."""
    is_one = isinstance(value, str | int | float) and value is not True
    match = _QUANTITY.fullmatch(str(value)) if is_one else None
    if match is None:
        return None
    number = match[1]
    return 0 if not number.strip("+-.0") else -1 if number[0] == "-" else 1


@lru_cache(maxsize=4096)
def _amount(text: str) -> Fraction | None:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    from fractions import Fraction

    number, exponent, suffix = match.groups()
    return Fraction(number + (exponent or "")) * Fraction(*_SUFFIXES[suffix or ""])


def there(way: Pointer, value: Any) -> Pointer:
    """A way as far as it leads, and the field behind that."""
    for depth, step in enumerate(way):
        is_there = step in value if isinstance(value, dict) else isinstance(value, list) and step in range(len(value))
        if not is_there:
            return way[: depth + 1]
        value = value[step]
    return way
