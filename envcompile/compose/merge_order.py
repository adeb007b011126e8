"""`$setElementOrder/<field>`: puts the items of a merged list into the order that a patch gives.

Source: mergePatchIntoOriginal, normalizeElementOrder and mergeSortedSlice in
staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go of Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.directives import MergeConflict, is_deletion, is_list_command
from envcompile.compose.merge_match import match_item
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.kubernetes import ListRule


def reordered(rule: ListRule, merged: list[Any], base: Sequence[Any], order: list[Any]) -> list[Any]:
    """Sort the items that `order` names as it names them; the others keep their place among the base's items."""
    places = _places(rule, merged, order)
    named = [merged[index] for index in sorted(places, key=places.__getitem__)]
    others = [item for index, item in enumerate(merged) if index not in places]
    result: list[Any] = []
    for item in named:
        here = _find(rule, base, item)
        while others and here is not None:
            other = _find(rule, base, others[0])
            if other is None or other > here:
                break
            result.append(others.pop(0))
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
    places: dict[int, int] = {}
    for place, wanted in enumerate(order):
        try:
            index = _find(rule, items, wanted)
        except MergeConflict as conflict:
            conflict.climb(place)
            raise
        if index is not None:
            places.setdefault(index, place)
    return places


def _find(rule: ListRule, items: Sequence[Any], wanted: Any) -> int | None:
    if rule.strategy != "merge":
        return next((index for index, item in enumerate(items) if same(item, wanted)), None)
    if type(wanted) is not dict:
        raise MergeConflict(
            "an item of the order must be a map of merge keys", f"write it like `{rule.keys[0]}: …` after the dash"
        )
    return match_item(rule, items, wanted)
