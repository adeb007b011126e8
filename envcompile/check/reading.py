"""Reading values whose shape nobody has checked yet: what has another shape counts as absent.

Most ways have one step: the readers that are asked most often take it without a further call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Pointer


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
    found = value.get(path[0]) if len(path) == 1 and type(value) is dict else at(value, *path)
    return found if isinstance(found, dict) else {}


def text_at(value: Any, *path: str | int) -> str:
    """The string at the end of a path; empty when there is none."""
    found = value.get(path[0]) if len(path) == 1 and type(value) is dict else at(value, *path)
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
    found = value.get(path[0]) if len(path) == 1 and type(value) is dict else at(value, *path)
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


def there(way: Pointer, value: Any) -> Pointer:
    """A way as far as it leads, and the field behind that."""
    for depth, step in enumerate(way):
        is_there = step in value if isinstance(value, dict) else isinstance(value, list) and step in range(len(value))
        if not is_there:
            return way[: depth + 1]
        value = value[step]
    return way
