"""Which layer, file and line set a field: the steps of a resource read backwards, only when somebody asks."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose.configmaps import line_in_text
from envcompile.compose.losses import settings_gone
from envcompile.compose.ways import ListMerge, Track, Way, part_of, patch_root
from envcompile.kubernetes.fieldpath import Item, format_field, look_up, reach, resolve
from envcompile.values import ABSENT, same
from envcompile.yamlio.places import exact_place, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Document, Location, Pointer, Resource, Step

    Where = Callable[[Pointer], Location | None]

REMOVED = "(removed)"


class Say(NamedTuple):
    """What one layer said about a field: the value it wrote, where, and whether it is the one that counts."""

    layer: str
    role: str
    place: Location | None
    value: Any
    wins: bool
    note: str = ""


class FieldOrigin(NamedTuple):
    """A field, its value in the result, everybody who had a say (first to last), and the lists on the way."""

    field: str
    value: Any
    says: tuple[Say, ...]
    lists: tuple[ListMerge, ...]
    path: FieldPath
    key: str = ""
    """Of a configuration file in the field."""


def explain(resource: Resource, path: FieldPath, api: KubeApi, where: Where) -> list[FieldOrigin]:
    """The origins of a field; of every leaf below it when it is a map or a list, those that were removed last.

    An empty list means that neither the result nor any layer knows the field.
    """
    group, _, version = resource.value["apiVersion"].rpartition("/")
    start = Way.of(resource, api.node(group, version, resource.id.kind))
    found: dict[str, FieldOrigin] = {}
    roots: list[Way] = []
    for pointer in _matching(path, resource.value):
        way = start
        for key in pointer:
            way = way.at(key)
        roots.append(way)
        found |= {leaf.field: _origin(resource, leaf, where) for leaf in way.leaves()}
    for step, root in product(resource.steps, [way.path for way in roots] or [path]):
        for pointer in _matching(root, step.before):
            way, before = start, step.before
            for key in pointer:
                way, before = way.further(part_of(key, before, way.node), before), before[key]
            for leaf in way.missing(before):
                if leaf.field not in found:
                    found[leaf.field] = _origin(resource, leaf, where)
    return list(found.values())


def winning_place(resource: Resource, path: FieldPath, api: KubeApi, where: Where) -> Location | None:
    """Where the value that counts of a field was written, or the field was removed; None when nobody speaks of it.

    What `explain` says of the first leaf that has a place. Of one scalar, which most who ask mean, only the last step
    that has a say is looked at.
    """
    pointer = resolve(path, resource.value)
    if pointer is None:
        if all(resolve(path, step.before) is None for step in resource.steps):
            return None
    elif not isinstance(look_up(resource.value, pointer), dict | list) and _is_only_one(path, resource.value):
        for step in reversed(resource.steps):
            say = _say(path, _track(step, path), where)
            if say is not None:
                if say.place is not None:
                    return say.place
                break
    origins = explain(resource, path, api, where)
    return next((say.place for origin in origins for say in origin.says if say.wins and say.place is not None), None)


def _is_only_one(path: FieldPath, value: Any) -> bool:
    """Tell whether a path that leads to a field leads to no other."""
    return not any(isinstance(part, Item) for part in path) or len(list(islice(_matching(path, value), 2))) == 1


def _track(step: Step, path: FieldPath) -> Track:
    """What one step has at a path."""
    before, after = (_at(value, path) for value in (step.before, step.after))
    stated = patch_root(step)
    pointer = reach(path, stated)
    is_whole = step.document is not None and len(pointer) == len(path)
    return Track(step, before, after, look_up(stated, pointer), pointer, is_stated=is_whole)


def _matching(path: FieldPath, value: Any) -> Iterator[Pointer]:
    """Every pointer that a path can mean: `[port=53]` may name several items of a list."""
    if not path:
        yield ()
        return
    part, rest = path[0], path[1:]
    if isinstance(part, Item) and isinstance(value, list):
        steps: list[str | int] = [position for position, item in enumerate(value) if part.matches(item)]
    else:
        steps = list(resolve((part,), value) or ())
    for step in steps:
        for pointer in _matching(rest, value[step]):
            yield (step, *pointer)


def explain_text(resource: Resource, path: FieldPath, key: str, where: Where) -> FieldOrigin | None:
    """The origin of one key of a configuration file inside a ConfigMap; None when no layer knows it."""
    return next(iter(explain_texts(resource, path, where, key)), None)


class _Texts(NamedTuple):
    """What one step found, made and wrote of a configuration file: the keys of each."""

    step: Step
    before: dict[str, Any]
    after: dict[str, Any]
    stated: dict[str, Any]


def explain_texts(resource: Resource, path: FieldPath, where: Where, key: str | None = None) -> list[FieldOrigin]:
    """The origins of all keys of a configuration file inside a ConfigMap, those that were removed last.

    Args:
        resource: the ConfigMap.
        path: the entry that holds the file.
        where: the place of a setting.
        key: only this key.
    """
    from envcompile.compose import configtext

    filename = str(path[-1]) if path else ""
    steps: list[_Texts] = []
    for step in resource.steps:
        goes_on = bool(steps) and steps[-1].step.after is step.before
        before = steps[-1].after if goes_on else _text_keys(filename, path, step.before)
        after = _text_keys(filename, path, step.after)
        stated = _text_keys(filename, path, patch_root(step)) if step.document is not None else {}
        steps.append(_Texts(step, before, after, stated))
    final = _text_keys(filename, path, resource.value)
    known = dict.fromkeys(final) | dict.fromkeys(name for texts in steps for name in (*texts.before, *texts.stated))
    how = ListMerge(format_field(path), _text_rule(resource, path) or configtext.how_merged(filename, "", ""))
    found = []
    for name in known if key is None else (key,):
        says = [say for texts in steps if (say := _text_say(texts, path, name, where)) is not None]
        if says:
            says[-1] = says[-1]._replace(wins=True)
            value = final[name].value if name in final else REMOVED
            found.append(FieldOrigin(f"{format_field(path)}#{name}", value, tuple(says), (how,), path, name))
    return found


def _text_say(texts: _Texts, path: FieldPath, key: str, where: Where) -> Say | None:
    """What one step said about a key; None when it left it as it was."""
    step = texts.step
    value = texts.after[key].value if key in texts.after else REMOVED
    if key in texts.stated and step.document is not None:
        pointer = resolve(path, patch_root(step))
        at = line_in_text(step.document, (*step.within, *(pointer or ())), texts.stated[key].line)
        return Say(step.layer, step.role, at, value, wins=False)
    if (texts.before.get(key) and texts.before[key].value) != (texts.after.get(key) and texts.after[key].value):
        return Say(step.layer, step.role, _step_place(step, path, where), value, wins=False)
    return None


def text_keys(resource: Resource, path: FieldPath) -> list[str]:
    """The keys of a configuration file inside a ConfigMap, in the order of its text."""
    return list(_text_keys(str(path[-1]) if path else "", path, resource.value))


def _text_keys(filename: str, path: FieldPath, value: Any) -> dict[str, Any]:
    from envcompile.compose import configtext

    pointer = resolve(path, value) if value is not None else None
    text = look_up(value, pointer) if pointer is not None else None
    if not isinstance(text, str) or configtext.format_of(filename) is None:
        return {}
    try:
        return dict(configtext.keys(filename, text))
    except configtext.ConfigTextError:
        # A text that no layer had to merge may be anything, such as a template for the program that reads it.
        return {}


def _origin(resource: Resource, way: Way, where: Where) -> FieldOrigin:
    says = [say for track in way.tracks if (say := _say(way.path, track, where)) is not None]
    if says:
        says[-1] = says[-1]._replace(wins=True)
    how = _text_rule(resource, way.path)
    texts = (ListMerge(way.field, how),) if how else ()
    value = REMOVED if way.value is ABSENT else way.value
    return FieldOrigin(way.field, value, tuple(says), (*way.merges(), *texts), way.path)


def _say(path: FieldPath, track: Track, where: Where) -> Say | None:
    """What one step said about a field; None when it left it as it was."""
    step = track.step
    stated, note = _stated(step, track)
    if stated is None and same(track.before, track.after):
        return None
    shown = REMOVED if track.after is ABSENT else track.after
    if shown is REMOVED and track.before is ABSENT:
        return None
    at = stated or _step_place(step, path, where)
    layer = at.file.rpartition("/")[0] if at and step.role == "setting" else step.layer
    return Say(layer, step.role, at, shown, wins=False, note=note)


def _text_rule(resource: Resource, path: FieldPath) -> str:
    """How the text of a ConfigMap's entry was put together; empty when one layer alone had a say."""
    if resource.id.kind != "ConfigMap" or resource.id.group or len(path) != 2 or path[0] != "data":
        return ""
    from envcompile.compose import configtext

    filename, how = str(path[1]), ""
    lists: dict[str, None] = {}
    for step in resource.steps:
        before, stated = _at(step.before, path), _at(patch_root(step), path)
        if not isinstance(before, str) or not isinstance(stated, str):
            continue
        if "\n" not in before + stated and not settings_gone(before, stated):
            continue  # one value for another, which is what everybody takes it for
        how = configtext.how_merged(filename, before, stated)
        lists |= dict.fromkeys(configtext.replaced_lists(filename, before, stated))
        if not how.startswith("replaced") and same(_at(step.after, path), stated) and not same(before, stated):
            try:
                merged = configtext.merge_text(filename, before, stated)
            except configtext.ConfigTextError:
                merged = None
            how = how if merged == stated else "replaced whole: envcompile.dev/replace or configMerge say so"
    if lists and how.startswith("merged"):
        how += f"; lists are replaced whole, and lose items or fields of the layers below: {', '.join(lists)}"
    return how


def _at(value: Any, path: FieldPath) -> Any:
    pointer = resolve(path, value) if value is not None else None
    return look_up(value, pointer) if pointer is not None else ABSENT


def _origin_of(document: Document) -> str:
    """Who computed a document that nobody wrote down as it is."""
    if not document.generated:
        return ""
    return "computed by jsonnet" if document.source.path.endswith(".jsonnet") else "made by a Generate"


def _stated(step: Step, track: Track) -> tuple[Location | None, str]:
    """The place where a document's patch writes the field down, or None when it does not."""
    if step.document is None or step.role == "json6902":
        return None, ""
    if track.is_stated:
        note = _origin_of(step.document)
        if step.document.generated:
            return place(step.document), note
        return exact_place(step.document, (*step.within, *track.pointer)), note
    if track.pointer and track.stated is None:
        return exact_place(step.document, (*step.within, *track.pointer)), "removed with what is around it"
    return None, ""


def _step_place(step: Step, path: FieldPath, where: Where) -> Location | None:
    if step.role == "setting":
        return where((*step.within, str(path[-1]))) or where(step.within)
    if step.document is None:
        return None
    if step.role == "json6902":
        return place(step.document, step.within)
    root = patch_root(step)
    for length in range(len(path), 0, -1):
        above = resolve(path[:length], root)
        if above is not None:
            return place(step.document, (*step.within, *above))
    return place(step.document, step.within)
