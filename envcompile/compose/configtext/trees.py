"""The values that nested texts (toml, yaml) stand for: what a merge of two of them must come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import PicklableError

if TYPE_CHECKING:
    from collections.abc import Callable

Path = tuple[str | int, ...]


class ClashError(PicklableError):
    """A map meets something that is neither a map nor null."""

    def __init__(self, path: Path, below: Any, above: Any) -> None:
        super().__init__(path)
        self.path = path
        self.below = below
        self.above = above


def laid_over(below: dict[str, Any], above: dict[str, Any], removes: Callable[[Any], bool], path: Path = ()) -> Any:
    """A new map: below's keys, above's in their place or behind them, without those that above removes.

    Raises:
        ClashError: when a map would take the place of something else, or the reverse.
    """
    result = dict(below)
    for key, new in above.items():
        old = below.get(key)
        if removes(new):
            result.pop(key, None)
        elif type(new) is dict:
            if old is not None and type(old) is not dict:
                raise ClashError((*path, key), old, new)
            result[key] = laid_over(old or {}, new, removes, (*path, key))
        elif type(old) is dict:
            raise ClashError((*path, key), old, new)
        else:
            result[key] = new
    return result


def without_removed(value: Any, removes: Callable[[Any], bool]) -> Any:
    """The value as it is laid over nothing; lists stand as they are written."""
    return laid_over({}, value, removes) if type(value) is dict else value


def is_none(value: Any) -> bool:
    """How a format with null removes."""
    return value is None
