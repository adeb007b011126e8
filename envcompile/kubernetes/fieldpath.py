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
        if isinstance(part, int):
            text += f"[{part}]"
        elif isinstance(part, Item):
            text += str(part)
        else:
            escaped = part if part.isidentifier() else re.sub(r"([.\\\[\]])", r"\\\1", part)
            text += f".{escaped}" if text else escaped
    return text


def resolve(path: FieldPath, value: Any) -> Pointer | None:
    """The pointer of a field in one version of a resource; None when it is not there."""
    pointer = reach(path, value)
    return pointer if len(pointer) == len(path) else None


def reach(path: FieldPath, value: Any) -> Pointer:
    """The pointer of a field in one version of a resource, as far as that has it."""
    pointer: list[str | int] = []
    for part in path:
        if isinstance(part, Item):
            if not isinstance(value, list):
                break
            found = next((position for position, item in enumerate(value) if part.matches(item)), None)
            if found is None:
                break
            pointer.append(found)
            value = value[found]
        elif isinstance(value, list):
            position = part if isinstance(part, int) else int(part) if part.isdigit() else -1
            if not 0 <= position < len(value):
                break
            pointer.append(position)
            value = value[position]
        elif isinstance(value, dict) and str(part) in value:
            pointer.append(str(part))
            value = value[str(part)]
        else:
            break
    return tuple(pointer)


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
            rule = node.rule if node is not None else None
            item = value[int(part)]
            if rule is not None and rule.strategy == "merge" and isinstance(item, dict):
                keys = tuple((key, item[key]) for key in rule.keys if key in item)
                path.append(Item(keys) if keys else int(part))
            else:
                path.append(int(part))
            node = node.items if node is not None else None
            value = item
        else:
            path.append(part)
            node = node.child(str(part)) if node is not None else None
            value = value[part]
    return tuple(path)


def _same(left: Any, right: Any) -> bool:
    return left == right or (isinstance(right, str) and not isinstance(left, str) and str(left) == right)
