"""JSON Patch: RFC 6902 operations on a resource, with the pointers of RFC 6901.

Like the library that kustomize and the API server use (github.com/evanphx/json-patch), and as the RFC asks: `add` puts
before a position of a list or, with `-`, after its end; `remove` and `replace` need something to be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import PicklableError
from envcompile.values import equal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Parts = tuple[str, ...]


class Json6902Error(PicklableError):
    """An operation that fails; `index` counts the operations of the patch from 0, `pointer` is as it was written."""

    def __init__(self, what: str, fix: str, pointer: str = "", index: int = 0) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.pointer = pointer
        self.index = index

    def __str__(self) -> str:
        return f"operation {self.index + 1}: {self.what}"


def apply(value: Any, operations: Iterable[Any]) -> Any:
    """Apply the operations of a patch in order; the value stays as it is, unchanged subtrees are shared with it.

    Raises:
        Json6902Error: an operation is malformed or fails; nothing of the patch counts then.
    """
    for index, operation in enumerate(operations):
        try:
            value = apply_operation(value, operation)
        except Json6902Error as error:
            error.index = index
            raise
    return value


def apply_operation(value: Any, operation: Any) -> Any:
    """Apply one operation.

    Raises:
        Json6902Error: the operation is malformed or fails.
    """
    if not isinstance(operation, dict):
        raise Json6902Error(
            "an operation must be a map", "write it like `{op: replace, path: /spec/replicas, value: 3}`"
        )
    name = operation.get("op")
    run = _OPERATIONS.get(name) if isinstance(name, str) else None
    if run is None:
        known = ", ".join(_OPERATIONS)
        raise Json6902Error(f"`op: {name}` is not known" if name else "`op` is missing", f"write one of {known}")
    return run(value, operation, _pointer(operation, "path"))


def parse_pointer(text: str) -> Parts:
    """Read a JSON Pointer (RFC 6901): `/` separates, `~1` stands for `/` and `~0` for `~`.

    Raises:
        Json6902Error: the text is no pointer.
    """
    if not text:
        return ()
    if not text.startswith("/"):
        raise Json6902Error(
            f"`{text}` is not a JSON pointer: it does not begin with `/`",
            "write it like /spec/template/spec/containers/0/image",
            text,
        )
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def _pointer(operation: Mapping[str, Any], field: str) -> Parts:
    text = operation.get(field)
    if not isinstance(text, str):
        raise Json6902Error(f"`{field}` is missing", f"write `{field}: /spec/…`, a JSON pointer")
    return parse_pointer(text)


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise Json6902Error("`value` is missing", "write the value that belongs there", str(operation["path"]))
    return operation["value"]


def _add(value: Any, operation: Mapping[str, Any], path: Parts) -> Any:
    return _put(value, path, _value(operation))


def _remove(value: Any, _operation: Mapping[str, Any], path: Parts) -> Any:
    return _take(value, path)


def _replace(value: Any, operation: Mapping[str, Any], path: Parts) -> Any:
    new = _value(operation)
    if not path:
        return new

    def put(parent: Any, part: str) -> Any:
        key = _present(parent, part, path)
        copy = parent.copy()
        copy[key] = new
        return copy

    return _change(value, path, put)


def _move(value: Any, operation: Mapping[str, Any], path: Parts) -> Any:
    source = _pointer(operation, "from")
    if source == path[: len(source)] and source != path:
        raise Json6902Error(
            f"`{_spell(source)}` cannot move into itself", "`path` must not lie below `from`", _spell(path)
        )
    moved = _look_up(value, source)
    return value if source == path else _put(_take(value, source), path, moved)


def _copy(value: Any, operation: Mapping[str, Any], path: Parts) -> Any:
    return _put(value, path, _look_up(value, _pointer(operation, "from")))


def _test(value: Any, operation: Mapping[str, Any], path: Parts) -> Any:
    wanted = _value(operation)
    # RFC 6902 section 4.6 compares numbers by their value: 1 and 1.0 are the same, 1 and true are not.
    if not equal(_look_up(value, path), wanted):
        raise Json6902Error(
            f"`test` fails: `{_spell(path)}` has another value",
            "correct the expected value, or drop the test",
            _spell(path),
        )
    return value


_OPERATIONS: Final[Mapping[str, Callable[[Any, Mapping[str, Any], Parts], Any]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _look_up(value: Any, path: Parts) -> Any:
    for depth, part in enumerate(path):
        value = value[_present(value, part, path[: depth + 1])]
    return value


def _put(value: Any, path: Parts, new: Any) -> Any:
    """Put a value into a map, or into a list before a position or at its end."""
    if not path:
        return new

    def put(parent: Any, part: str) -> Any:
        copy = parent.copy()
        if isinstance(copy, dict):
            copy[part] = new
        elif part == "-":
            copy.append(new)
        else:
            copy.insert(_position(part, len(copy) + 1, path), new)
        return copy

    return _change(value, path, put)


def _take(value: Any, path: Parts) -> Any:
    """Take a field out of its map, or an item out of its list."""
    if not path:
        raise Json6902Error("the whole resource cannot be removed", "write a patch with `$patch: delete` instead")

    def take(parent: Any, part: str) -> Any:
        key = _present(parent, part, path)
        copy = parent.copy()
        del copy[key]
        return copy

    return _change(value, path, take)


def _change(value: Any, path: Parts, change: Callable[[Any, str], Any], depth: int = 0) -> Any:
    """Rebuild the way down to a field's parent and let `change` make the new parent."""
    part = path[depth]
    if depth == len(path) - 1:
        if not isinstance(value, (dict, list)):
            raise _no_container(path[:depth])
        return change(value, part)
    key = _present(value, part, path[: depth + 1])
    copy = value.copy()
    copy[key] = _change(value[key], path, change, depth + 1)
    return copy


def _present(parent: Any, part: str, path: Parts) -> Any:
    """Turn a part into the key or position of something that is there."""
    if isinstance(parent, dict):
        if part not in parent:
            raise Json6902Error(f"`{_spell(path)}` does not exist", "correct the path, or `add` it first", _spell(path))
        return part
    if isinstance(parent, list):
        return _position(part, len(parent), path)
    raise _no_container(path[:-1])


def _position(part: str, count: int, path: Parts) -> int:
    if not part.isascii() or not part.isdigit() or (part != "0" and part[0] == "0"):
        raise Json6902Error(
            f"`{part}` in `{_spell(path)}` is no position of a list", "count the items from 0", _spell(path)
        )
    position = int(part)
    if position >= count:
        raise Json6902Error(f"`{_spell(path)}` lies beyond the end of the list", "count the items from 0", _spell(path))
    return position


def _no_container(path: Parts) -> Json6902Error:
    return Json6902Error(
        f"`{_spell(path)}` is neither a map nor a list", "correct the path: nothing can be below a scalar", _spell(path)
    )


def _spell(path: Parts) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
