"""`$setElementOrder/<field>`: puts the items of a merged list into the order that a patch gives.

Source: mergePatchIntoOriginal, normalizeElementOrder and mergeSortedSlice in
staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go of Kubernetes.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from envcompile.compose.directives import MergeConflict, is_deletion, is_list_command
from envcompile.compose.merge_match import ItemFinder
from envcompile.values import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envcompile.kubernetes import ListRule


def reordered(rule: ListRule, merged: list[Any], base: Sequence[Any], order: list[Any]) -> list[Any]:
    """Sort the items that `order` names as it names them; the others keep their place among the base's items."""
    places = _places(rule, merged, order)
    named = [merged[index] for index in sorted(places, key=places.__getitem__)]
    others = deque(item for index, item in enumerate(merged) if index not in places)
    find = _finder(rule, base)
    result: list[Any] = []
    for item in named:
        here = find(item)
        while others and here is not None:
            other = find(others[0])
            if other is None or other > here:
                break
            result.append(others.popleft())
        result.append(item)
    result += others
    return merged if all(new is old for new, old in zip(result, merged, strict=True)) else result


def check_order(rule: ListRule, patch: Sequence[Any], order: list[Any]) -> None:
    """Refuse an order that leaves out an item of the patch, or names the patch's items in another order than it does.

    Raises:
        MergeConflict: as the API server refuses it (validatePatchWithSetOrderList).
    """
    places = _places(rule, patch, order)
    last = -1
    for index, item in enumerate(patch):
        if is_list_command(item) or is_deletion(item):
            continue
        place = places.get(index, -1)
        if place < last or place < 0:
            what = "does not name" if place < 0 else "contradicts the order of"
            raise MergeConflict(
                f"it {what} item {index} of the list in the patch",
                "name every item of the patch, in the patch's order, and the base's items in between",
            )
        last = place


def _places(rule: ListRule, items: Sequence[Any], order: list[Any]) -> dict[int, int]:
    """Find for each item the position at which the order names it; items it does not name are left out."""
    find = _finder(rule, items)
    places: dict[int, int] = {}
    for place, wanted in enumerate(order):
        try:
            index = find(wanted)
        except MergeConflict as conflict:
            conflict.climb(place)
            raise
        if index is not None:
            places.setdefault(index, place)
    return places


def _finder(rule: ListRule, items: Sequence[Any]) -> Callable[[Any], int | None]:
    """What finds the position of an item in a list: by its keys, or as a whole in a set."""
    if rule.strategy != "merge":
        known: dict[str, int] = {}
        for index, item in enumerate(items):
            known.setdefault(canonical(item), index)
        return lambda wanted: known.get(canonical(wanted))
    finder = ItemFinder(rule, list(items), only_names=True)

    def find(wanted: Any) -> int | None:
        if type(wanted) is not dict:
            raise MergeConflict(
                "an item of the order must be a map of merge keys", f"write it like `{rule.keys[0]}: …` after the dash"
            )
        return finder.find(wanted)

    return find
