"""The directives of a patch: `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`.

Sources: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go of Kubernetes, and kyaml/yaml/merge2 of
kustomize. Where they differ about `$patch`: `delete` in a map removes the field, as in kustomize (kubectl leaves an
empty map); `replace` in an item of a keyed list that has other fields replaces this item (kubectl replaces the whole
list and loses the item, kustomize drops the patch); an item that is nothing but `$patch` speaks of the whole list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import PicklableError
from envcompile.values import REMOVED

if TYPE_CHECKING:
    from envcompile.model import Pointer

PATCH: Final = "$patch"
RETAIN_KEYS: Final = "$retainKeys"
SET_ORDER: Final = "$setElementOrder/"
DELETE_SCALARS: Final = "$deleteFromPrimitiveList/"

REPLACE: Final = "replace"
DELETE: Final = "delete"
MERGE: Final = "merge"


class MergeConflict(PicklableError):  # ruff: ignore[error-suffix-on-exception-name] - a conflict of the user's
    """A patch that cannot be laid over its base; `pointer` leads to the place in the patch."""

    def __init__(self, what: str, fix: str, pointer: Pointer = ()) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.pointer = pointer

    def climb(self, step: str | int) -> MergeConflict:
        """Say that the conflict is below a field or item; gives the conflict itself, ready to raise on."""
        self.pointer = (step, *self.pointer)
        return self


def is_directive(key: str) -> bool:
    """Tell whether a key of a patch is a directive and no field: a CRD's schema has fields like `$ref`, too."""
    return key in {PATCH, RETAIN_KEYS} or key.startswith((SET_ORDER, DELETE_SCALARS))


def is_deletion(patch: Any) -> bool:
    """Tell whether a patch removes what it names: `$patch: delete` in the map itself."""
    return isinstance(patch, dict) and patch.get(PATCH) == DELETE


def command_of_map(patch: dict[str, Any]) -> str:
    """Read what the `$patch` of a map asks for; a map without one is merged."""
    return _checked(patch.get(PATCH, MERGE))


def is_list_command(item: Any) -> bool:
    """Tell whether an item of a list is nothing but `$patch` and so speaks of the whole list."""
    return type(item) is dict and len(item) == 1 and PATCH in item


def command_of_list(patch: list[Any]) -> str | None:
    """Read what `- $patch: …` asks for the whole list; None when there is no such item."""
    commands = [_checked(item[PATCH]) for item in patch if is_list_command(item)]
    if len(set(commands)) > 1:
        raise MergeConflict(
            f"the list is asked to {' and to '.join(f'`$patch: {name}`' for name in dict.fromkeys(commands))}",
            "keep one of them",
        )
    return commands[0] if commands else None


def _checked(command: Any) -> str:
    if not isinstance(command, str) or command not in {REPLACE, DELETE, MERGE}:
        raise MergeConflict("`$patch` has a value that is no directive", "write `replace`, `delete` or `merge`")
    return command


def list_argument(key: str, value: Any) -> list[Any]:
    """Read the value of a directive that takes a list."""
    if not isinstance(value, list):
        raise MergeConflict(f"`{key}` needs a list", "write the items below it, each after a dash").climb(key)
    return value


def settled(value: Any) -> Any:
    """What a patch's value becomes where the base has nothing: without nulls, and with its directives obeyed.

    Gives the very same object when there is nothing to settle, and REMOVED when the value asks for its own removal.
    An item of a list that is null stays: it has a place of its own (strategicpatch, discardNullValuesFromPatch).
    """
    kind = type(value)
    if kind is dict:
        return _settled_map(value)
    if kind is list:
        return _settled_list(value)
    return value


def _settled_map(value: dict[str, Any]) -> Any:
    if PATCH in value and command_of_map(value) == DELETE:
        return REMOVED
    changed: dict[str, Any] = {}
    dropped: set[str] = set()
    for key, inner in value.items():
        if inner is None or (key[:1] == "$" and is_directive(key)):
            dropped.add(key)
            continue
        kind = type(inner)
        if kind is dict or kind is list:
            try:
                new = settled(inner)
            except MergeConflict as conflict:
                conflict.climb(key)
                raise
            if new is REMOVED:
                dropped.add(key)
            elif new is not inner:
                changed[key] = new
    if not changed and not dropped:
        return value
    return {key: changed.get(key, inner) for key, inner in value.items() if key not in dropped}


def _settled_list(value: list[Any]) -> Any:
    if command_of_list(value) == DELETE:
        return REMOVED
    items: list[Any] = []
    is_same = True
    for index, item in enumerate(value):
        if is_list_command(item):
            is_same = False
            continue
        try:
            new = settled(item)
        except MergeConflict as conflict:
            conflict.climb(index)
            raise
        if new is not item:
            is_same = False
        if new is not REMOVED:
            items.append(new)
    return value if is_same else items
