"""What a patch takes away without saying so: lists and texts that are replaced whole, where parts look meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.compose.configmaps import REPLACE_ANNOTATION, replaced_keys
from envcompile.compose.directives import command_of_list
from envcompile.kubernetes.fieldpath import format_field
from envcompile.kubernetes.schema import UNKNOWN_RULE
from envcompile.kubernetes.tables import TypeNode
from envcompile.values import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.kubernetes import Node
    from envcompile.model import Pointer

_SHOWN: Final = 3
_NAMING: Final = ("name", "id", "key", "containerName", "alert", "job_name", "host", "type")
"""Fields by which people tell the items of a list apart, the most telling first."""


def losses(base: dict[str, Any], patch: dict[str, Any], node: Node | None) -> Iterator[tuple[Pointer, str, str]]:
    """The lists of a custom resource that a patch replaces and of which most goes: place, what happens, how to mend it.

    Lists of built-in kinds are none of them: how they merge is the API's word. `- $patch: replace` says that it is
    meant.

    Args:
        base: the resource below.
        patch: what is laid over it.
        node: the schema of the resource's root; None for an unknown kind.
    """
    if not isinstance(node, TypeNode):
        yield from _lists(base, patch, node, ())


def _lists(base: Any, patch: Any, node: Node | None, pointer: Pointer) -> Iterator[tuple[Pointer, str, str]]:
    if type(base) is dict and type(patch) is dict:
        for key, value in patch.items():
            if type(value) in {dict, list} and type(base.get(key)) is type(value):
                child = node.child(key) if node is not None else None
                yield from _lists(base[key], value, child, (*pointer, key))
    elif type(base) is list and type(patch) is list:
        rule = UNKNOWN_RULE if node is None else node.rule
        if not rule.is_stated and command_of_list(patch) is None and is_loss(base, patch):
            gone, name = _gone(base, patch), _naming_field([*base, *patch])
            what = f"`{format_field(pointer)}` is replaced whole, as nothing says how its items are told apart: "
            what += f"{', '.join(gone[:3])}{' and more' if len(gone) > 3 else ''} of the layers below "
            what += f"{'is' if len(gone) == 1 else 'are'} gone or lose{'s' if len(gone) == 1 else ''} fields"
            fix = f"name `{name}` in `mergeKeys` of envc.yaml, or begin the list with `- $patch: replace`"
            yield pointer, what, fix


def is_loss(base: list[Any], new: list[Any]) -> bool:
    """Tell whether a list of named maps is replaced by one that keeps less than half of what it holds."""
    if not base or not new or _naming_field([*base, *new]) is None:
        return False
    held = [_fields(item) for item in base]
    kept = set().union(*map(_fields, new))
    return 2 * sum(len(fields & kept) for fields in held) <= sum(map(len, held))


def _naming_field(items: list[Any]) -> str | None:
    """The field that names every item."""
    if not all(type(item) is dict for item in items):
        return None
    return next((field for field in _NAMING if all(type(item.get(field)) is str for item in items)), None)


def _fields(item: dict[str, Any]) -> set[tuple[str, str]]:
    return {(key, canonical(value)) for key, value in item.items()}


def _gone(base: list[Any], new: list[Any]) -> list[str]:
    """The names of the items that go or lose fields."""
    field = _naming_field([*base, *new])
    kept = {item[field]: _fields(item) for item in new if field is not None}
    return [f"`{item[field]}`" for item in base if field is not None and not _keys_kept(item, kept.get(item[field]))]


def _keys_kept(item: dict[str, Any], fields: set[tuple[str, str]] | None) -> bool:
    return fields is not None and item.keys() <= {key for key, _ in fields}


def text_losses(
    base: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any]
) -> Iterator[tuple[Pointer, str, str]]:
    """The texts of a ConfigMap of whose lines most go by a patch that replaces them or lists in them: place, what, fix.

    The annotation `envcompile.dev/replace` says that it is meant; a text as long as the one below is one that was
    written out.

    Args:
        base: the ConfigMap below.
        patch: the patch as it is written, before texts are merged.
        merged: the patch with merged texts.
    """
    below, above = base.get("data"), patch.get("data")
    if not isinstance(below, dict) or not isinstance(above, dict):
        return
    from envcompile.compose import configtext

    meant = replaced_keys(patch)
    for key, text in above.items():
        old = below.get(key)
        if key in meant or "*" in meant or not isinstance(text, str) or not isinstance(old, str):
            continue
        had, has = _lines(old), _lines(text)
        if len(had) == len(has) == 1:
            gone = settings_gone(old, text)
            if gone and (how := configtext.how_merged(key, old, text)).startswith("replaced"):
                what = f"`data.{key}` is {how}; of the settings on its line {', '.join(gone[:_SHOWN])} are gone"
                yield (
                    ("data", key),
                    what,
                    f'state all of them, or annotate the patch with {REPLACE_ANNOTATION}: "{key}"',
                )
            continue
        if "\n" not in old or not has or 2 * len(had & has) >= len(had) or len(has) >= len(had):
            continue
        how = configtext.how_merged(key, old, text)
        if how.startswith("replaced"):
            what = f"`data.{key}` is {how}; {len(had - has)} of {len(had)} lines of the layers below are gone"
            yield ("data", key), what, f'annotate the patch with {REPLACE_ANNOTATION}: "{key}" if that is meant'
        elif 2 * len(_lines(str(merged["data"][key]))) <= len(had):
            lists = configtext.replaced_lists(key, old, text)
            if lists:
                what = f"`data.{key}` is {how}, and most of it goes, as lists in it are replaced whole: "
                what += f"{', '.join(lists[:3])}{' and more' if len(lists) > 3 else ''}"
                fix = "state all items of these lists in the patch"
                yield ("data", key), what, f'{fix}, or the whole text with {REPLACE_ANNOTATION}: "{key}"'


def settings_gone(old: str, text: str) -> list[str]:
    """The names of settings that go where one line replaces another; none when it does not look like an oversight.

    One value in the place of another is what people mean by a patch. A line that is a list of `name=value`, such as
    feature gates or a connection string, looks as if it were merged when the other line states only a few of its names,
    and no other ones.
    """
    below, above = _settings(old), _settings(text)
    few = len(below) > 1 and above and above < below and 2 * len(above) <= len(below)
    return sorted(below - above) if few else []


def _settings(line: str) -> set[str]:
    """The names on a line of nothing but `name=value`, between commas, semicolons or blanks; empty for others."""
    parts = [part for part in re.split(r"[,;\s]+", line.strip()) if part]
    found = [re.match(r"([\w./-]+)=", part) for part in parts]
    return {one[1] for one in found if one is not None} if all(found) else set()


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip()}
