"""A patch that exists already, changed so that it leads elsewhere: what it sets is set back, what it does not stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose import configtext
from envcompile.compose.configmaps import REPLACE_ANNOTATION, replaced_keys
from envcompile.compose.directives import DELETE, PATCH, REPLACE, is_list_command
from envcompile.compose.layers import NEW_ANNOTATION
from envcompile.compose.merge_match import identity_of
from envcompile.values import ABSENT, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.kubernetes import ListRule, Node
    from envcompile.model import Pointer

Value = dict[str, Any]


def leaves_between(old: Any, new: Any, pointer: Pointer = ()) -> Iterator[Pointer]:
    """The fields in which two values differ; items of lists go by their position."""
    if same(old, new):
        return
    if type(old) is dict and type(new) is dict:
        for key in dict.fromkeys([*old, *new]):
            yield from leaves_between(old.get(key, ABSENT), new.get(key, ABSENT), (*pointer, key))
    elif type(old) is list and type(new) is list and len(old) == len(new):
        for position, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from leaves_between(before, after, (*pointer, position))
    else:
        yield pointer


def transferred(laid: Any, have: Any, want: Any) -> Any:
    """What an earlier stage of a value must be, so that its later stage becomes what is wanted.

    Args:
        laid: the earlier stage, such as a resource before the environment's settings.
        have: what became of it.
        want: what shall become of it; where that is what became of it, the earlier stage stays as it is.
    """
    if same(have, want):
        return laid
    if type(want) is dict and type(have) is dict and type(laid) is dict:
        done: Value = {}
        for key in dict.fromkeys([*laid, *want]):
            new = transferred(laid.get(key, ABSENT), have.get(key, ABSENT), want.get(key, ABSENT))
            if new is not ABSENT:
                done[key] = new
        return done
    if type(want) is list and type(have) is list and type(laid) is list and len(laid) == len(have):
        items = []
        for position, item in enumerate(want):
            found = _position_of(item, have, position)
            items.append(item if found is None else transferred(laid[found], have[found], item))
        return items
    return want


def _position_of(item: Any, items: list[Any], position: int) -> int | None:
    """The item that became another one: an same one, else that of the same name, else the one at its place."""
    for found, other in enumerate(items):
        if same(other, item):
            return found
    if type(item) is not dict:
        return None
    if type(item.get("name")) is str:
        return next(
            (found for found, other in enumerate(items) if type(other) is dict and other.get("name") == item["name"]),
            None,
        )
    return position if position < len(items) and type(items[position]) is dict else None


def set_back(
    patch: Value, before: Value, after: Value, wanted: Value, node: Node | None, *, merge_texts: bool
) -> Value:
    """The patch with what it sets changed towards the wanted value; what it does not set is left to another patch.

    Args:
        patch: a partial resource.
        before: what it is laid over.
        after: what that makes of it.
        wanted: what shall come of it.
        node: the schema of the kind.
        merge_texts: configuration files inside ConfigMaps are merged key by key.
    """
    done = _map(patch, before, after, wanted, node)
    if merge_texts and before.get("kind") == "ConfigMap":
        data = _texts(patch, before, after, wanted)
        if data is not None:
            done = {**done, "data": data} if data else {key: item for key, item in done.items() if key != "data"}
    return done


def is_bare(patch: Value) -> bool:
    """Tell whether a patch only names its resource and changes nothing of it."""
    metadata = patch.get("metadata")
    if patch.keys() - {"apiVersion", "kind", "metadata"} or type(metadata) is not dict:
        return False
    annotations = metadata.get("annotations", {})
    return metadata.keys() <= {"name", "namespace", "annotations"} and (
        type(annotations) is dict and annotations.keys() <= {NEW_ANNOTATION, REPLACE_ANNOTATION}
    )


def _map(patch: Value, before: Value, after: Value, wanted: Value, node: Node | None) -> Value:
    done: Value = {}
    for key, said in patch.items():
        have, want, below = after.get(key, ABSENT), wanted.get(key, ABSENT), before.get(key, ABSENT)
        if same(have, want):
            done[key] = said
            continue
        if same(below, want):
            continue
        new = _value(said, below, have, want, node.child(key) if node is not None else None)
        if new is not ABSENT:
            done[key] = new
    return done


def _value(said: Any, below: Any, have: Any, want: Any, node: Node | None) -> Any:
    """What a patch says of a field instead; ABSENT when it need not say anything."""
    if want is ABSENT:
        return None if below is not ABSENT else ABSENT
    if type(said) is dict and type(have) is dict and type(want) is dict:
        if said.get(PATCH) == REPLACE:
            return {PATCH: REPLACE, **want}
        new = _map(said, below if type(below) is dict else {}, have, want, node)
        return ABSENT if not new and type(below) is dict else new
    if type(said) is list and type(have) is list and type(want) is list:
        if node is None or node.rule.strategy != "merge":
            return want
        items = _items(said, below if type(below) is list else [], have, want, node)
        if items is None:
            return said
        return ABSENT if not items and type(below) is list else items
    return want


def _items(said: list[Any], below: list[Any], have: list[Any], want: list[Any], node: Node) -> list[Any] | None:
    """The items of a keyed list that a patch has to say; None when they cannot be told apart."""
    rule = node.rule
    if any(is_list_command(item) or type(item) is not dict for item in said):
        return None
    found = [_by_identity(rule, items) for items in (below, have, want)]
    olds, nows, wishes = found
    if olds is None or nows is None or wishes is None:
        return None
    done: list[Any] = []
    for item in said:
        identity = identity_of(rule, item)
        each: tuple[Any, Any, Any] = (
            olds.get(identity, ABSENT),
            nows.get(identity, ABSENT),
            wishes.get(identity, ABSENT),
        )
        old, now, wish = each
        keys = {key: item[key] for key in rule.keys if key in item}
        if same(now, wish):
            done.append(item)
        elif same(old, wish):
            continue
        elif wish is ABSENT:
            done.append({**keys, PATCH: DELETE})
        elif now is ABSENT or PATCH in item:
            done.append(wish if old is ABSENT else {PATCH: REPLACE, **wish})
        else:
            new = _map(item, old if type(old) is dict else {}, now, wish, node.items)
            if new.keys() - keys.keys() or old is ABSENT:
                done.append(new)
    return done


def _by_identity(rule: ListRule, items: list[Any]) -> dict[Any, Value] | None:
    known = {identity_of(rule, item): item for item in items if type(item) is dict}
    return known if len(known) == len(items) else None


def _texts(patch: Value, before: Value, after: Value, wanted: Value) -> Value | None:
    """What a patch of a ConfigMap says in `data`; None when that is not made of texts."""
    maps = [value.get("data", {}) for value in (patch, before, after, wanted)]
    if any(type(each) is not dict for each in maps):
        return None
    said, below, have, want = maps
    whole = replaced_keys(patch)
    done: Value = {}
    for key, text in said.items():
        texts = (text, below.get(key), have.get(key), want.get(key))
        merges = key not in whole and "*" not in whole and configtext.format_of(key) is not None
        if same(have.get(key, ABSENT), want.get(key, ABSENT)):
            done[key] = text
        elif same(below.get(key, ABSENT), want.get(key, ABSENT)):
            continue
        elif merges and all(type(each) is str for each in texts):
            done[key] = _text(key, *texts)
        elif key in want:
            done[key] = want[key]
        elif key in below:
            done[key] = None
    return done


def _text(name: str, said: str, below: str, have: str, want: str) -> str:
    """The text of a patch with only the keys changed that differ; the text as it is when that leads nowhere."""
    new = configtext.derive_text(name, below, want)
    if new is None:
        return said
    try:
        old = configtext.derive_text(name, below, have)
        step = configtext.derive_text(name, old, new) if old else None
        kept = configtext.merge_text(name, said, step) if step else None
        if kept is not None and configtext.merge_text(name, below, kept) == want:
            return kept
    except configtext.ConfigTextError:
        pass
    return new
