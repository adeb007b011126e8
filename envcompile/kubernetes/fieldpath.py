"""How people write the way to a field, and how it is found in the versions of a resource."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UsageError
from envcompile.record import Record

if TYPE_CHECKING:
    from envcompile.kubernetes import Node
    from envcompile.model import Pointer


class Item(Record, frozen=True):
    """A list item told apart by its merge keys, such as `[name=app]`."""

    keys: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return "[" + ",".join(f"{key}={value}" for key, value in self.keys) + "]"

    def matches(self, candidate: Any) -> bool:
        """Tell whether an item has these keys."""
        if not isinstance(candidate, dict):
            return False
        for key, value in self.keys:  # a loop: this is asked of every item of every list
            held = candidate.get(key)
            if held != value and not _same(held, value):
                return False
        return True


class Positions:
    """Where the items of long lists are, by their merge keys: each list is looked through once, however many are asked.

    The lists must stay as they are, and as long as this does.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, tuple[str, ...]], dict[tuple[str, ...], int] | None] = {}

    def step_of(self, part: Part, value: Any) -> str | int | None:
        """As the function of this name."""
        if not isinstance(part, Item) or not isinstance(value, list) or len(value) < _LONG:
            return step_of(part, value)
        if not all(type(wanted) is str for _, wanted in part.keys):
            return step_of(part, value)  # a number is no text of its digits, but a text is what stands for the number
        names = tuple(key for key, _ in part.keys)
        place = id(value), names
        if place not in self._known:
            self._known[place] = _by_texts(names, value)
        index = self._known[place]
        return step_of(part, value) if index is None else index.get(tuple(wanted for _, wanted in part.keys))


_LONG = 16
"""Items from which on it pays to remember where each is."""


def _by_texts(names: tuple[str, ...], items: list[Any]) -> dict[tuple[str, ...], int] | None:
    """The first position of each item by the texts of its keys; None where these may be no scalars."""
    found: dict[tuple[str, ...], int] = {}
    for position, item in enumerate(items):
        if isinstance(item, dict):
            held = [item.get(name) for name in names]
            if any(isinstance(each, (dict, list)) for each in held):
                return None
            found.setdefault(tuple(map(str, held)), position)
    return found


Part = str | int | Item
FieldPath = tuple[Part, ...]

_TOKEN = r"""(?x)\.?(?:
        \["(?P<quoted>(?:[^"\\]|\\.)*)"\]
      | \[(?P<index>\d+)\]
      | \[(?P<selector>[^\]=]+=[^\]]*)\]
      | (?P<key>(?:[^.\[\]\\]|\\.)+)
    )"""


def parse_field(text: str) -> tuple[FieldPath, str | None]:
    r"""Read a field as people write it; the second part is the key inside an embedded file.

    `spec.replicas`, `spec.template.spec.containers[name=app].image`, `containers[0]`,
    `data.app\.properties#server.port`, `metadata.annotations["prometheus.io/port"]`, and JSON pointers such as
    `/spec/replicas`.

    Raises:
        UsageError: the text cannot be read.
    """
    text, hash_mark, inner = text.partition("#")
    if text.startswith("/"):
        parts = [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]
        return tuple(int(part) if part.isdigit() else part for part in parts), inner if hash_mark else None
    token = re.compile(_TOKEN)
    path: list[Part] = []
    position = 0
    while position < len(text):
        match = token.match(text, position)
        if match is None:
            raise UsageError([
                Problem(
                    f"the field `{text}` cannot be read from `{text[position:]}` on",
                    r"write spec.template.spec.containers[name=app].image; a dot inside a key is `\.`",
                )
            ])
        position = match.end()
        if (selector := match["selector"]) is not None:
            pairs = [pair.partition("=") for pair in selector.split(",")]
            path.append(Item(tuple((key.strip(), value.strip()) for key, _, value in pairs)))
        elif match["index"] is not None:
            path.append(int(match["index"]))
        else:
            path.append(re.sub(r"\\(.)", r"\1", match["quoted"] if match["quoted"] is not None else match["key"]))
    return tuple(path), inner if hash_mark else None


def format_field(path: FieldPath) -> str:
    """The field as `parse_field` reads it."""
    text = ""
    for part in path:
        text = joined(text, part)
    return text


def joined(text: str, part: Part) -> str:
    """A field as `parse_field` reads it, one part further on."""
    if isinstance(part, int):
        return f"{text}[{part}]"
    if isinstance(part, Item):
        return f"{text}{part}"
    escaped = part if part.isidentifier() else re.sub(r"([.\\\[\]])", r"\\\1", part)
    return f"{text}.{escaped}" if text else escaped


def resolve(path: FieldPath, value: Any) -> Pointer | None:
    """The pointer of a field in one version of a resource; None when it is not there."""
    pointer = reach(path, value)
    return pointer if len(pointer) == len(path) else None


def reach(path: FieldPath, value: Any) -> Pointer:
    """The pointer of a field in one version of a resource, as far as that has it."""
    pointer: list[str | int] = []
    for part in path:
        if type(part) is str and type(value) is dict:  # as `step_of` does: most parts are keys
            if part not in value:
                break
            pointer.append(part)
            value = value[part]
            continue
        step = step_of(part, value)
        if step is None:
            break
        pointer.append(step)
        value = value[step]
    return tuple(pointer)


def step_of(part: Part, value: Any) -> str | int | None:
    """The key or position that a part of a path means in a value; None where it leads nowhere."""
    if isinstance(value, dict):
        key = part if isinstance(part, str) else str(part)
        return key if key in value and not isinstance(part, Item) else None
    if not isinstance(value, list):
        return None
    if isinstance(part, Item):
        return next((position for position, item in enumerate(value) if part.matches(item)), None)
    position = part if isinstance(part, int) else int(part) if part.isdigit() else -1
    return position if 0 <= position < len(value) else None


def look_up(value: Any, pointer: Pointer) -> Any:
    """The value at a pointer that is known to exist."""
    for part in pointer:
        value = value[part]
    return value


def keyed(pointer: Pointer, value: Any, node: Node | None) -> FieldPath:
    """The path of a field by merge keys where its lists have them, so that it fits every version of the resource."""
    path: list[Part] = []
    for part in pointer:
        if isinstance(value, list):
            path.append(item_part(value, int(part), node))
            node = node.items if node is not None else None
            value = value[int(part)]
        else:
            path.append(part)
            node = node.child(str(part)) if node is not None else None
            value = value[part]
    return tuple(path)


def item_part(items: list[Any], position: int, node: Node | None) -> Part:
    """What tells an item of a list apart in every version of a resource: its merge keys, else its position."""
    item = items[position]
    rule = node.rule if node is not None else None
    if rule is None or rule.strategy != "merge" or not isinstance(item, dict):
        return position
    keys = tuple((key, item[key]) for key in rule.keys if key in item)
    return Item(keys) if keys else position


def _same(left: Any, right: Any) -> bool:
    return left == right or (isinstance(right, str) and not isinstance(left, str) and str(left) == right)
