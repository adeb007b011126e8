"""Our own small objects: some that the API server takes, and changes of them that it refuses."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
VALID: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "valid.yaml").read_text(encoding="utf-8"))
_GONE = "~"


class Refused(NamedTuple):
    """One object that is refused, and the field that is named."""

    id: str
    value: dict[str, Any]
    at: str


def refused() -> Iterator[Refused]:
    """Every sample."""
    groups: dict[str, list[list[Any]]] = yaml.safe_load((FOLDER / "refused.yaml").read_text(encoding="utf-8"))
    for samples in groups.values():
        for name, field, content, *further in samples:
            value = copy.deepcopy(VALID[name])
            for path, item in (further[1] if len(further) > 1 else {}).items():
                put(value, path, item)
            put(value, field.rstrip("!"), content)
            at = further[0] if further else field.rstrip("!")
            yield Refused(f"{name}: {field} = {str(content)[:30]}", value, at)


def put(value: Any, path: str, item: Any) -> None:
    """Put something at a dotted path, or take away what is there (None); keys with dots stand last."""
    names = path.split(".")
    while True:
        name = names.pop(0)
        if isinstance(value, list):
            value = _at(value, int(name), item, is_last=not names)
        elif names and name in value and isinstance(value[name], dict | list):
            value = value[name]
        else:
            key = ".".join([name, *names])
            if item is None:
                value.pop(key, None)
            elif names and key not in value and "." not in key.removeprefix(name + "."):
                value[name] = {names[0]: item}
            else:
                value[key] = item
            return
        if not names:
            return


def _at(value: list[Any], index: int, item: Any, *, is_last: bool) -> Any:
    if is_last:
        value[index] = item
    return value[index]
