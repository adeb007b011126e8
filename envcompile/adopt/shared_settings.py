"""What all objects of an environment say alike and its settings can say once: labels, images, replicas."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose.images import ImageChanges
from envcompile.compose.selectorlabels import SELECTING, with_selector_labels, without_selector_labels
from envcompile.compose.settings import SCALABLE
from envcompile.kubernetes.images import parse_image
from envcompile.kubernetes.podspecs import CONTAINER_LISTS, WORKLOADS, map_pod_template, pod_template, template_path
from envcompile.model import ResourceId
from envcompile.settings import Image
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from envcompile.adopt.existing import Value
    from envcompile.adopt.namespaces import Documents

    Change = Callable[[Value], Value]

_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_NONE = "none"
"""The count of a workload that states no replicas."""
_ENOUGH = 2
"""A setting must speak for two objects at least to be shorter than they are."""


class Settled(NamedTuple):
    """The objects of each environment without what its settings now say."""

    documents: Documents
    settings: dict[str, dict[str, Any]]


def settle(
    documents: Documents,
    movable: Collection[str] = ("images", "replicas"),
    renamed: Mapping[str, Mapping[str, str]] | None = None,
) -> Settled:
    """Move into each environment's settings what differs between environments and is alike inside of each.

    The build puts it back exactly: a label, for instance, is moved only when every object of the environment has it.

    Args:
        documents: the objects of each environment.
        movable: which of `images` and `replicas` are moved, beside labels and annotations.
        renamed: by environment, names of images that its settings give, with the names that the base has.
    """
    settings: dict[str, dict[str, Any]] = {environment: {} for environment in documents}
    if len(documents) > 1:
        documents = _selector_labels(documents, settings)
        for field in ("labels", "annotations"):
            documents = _metadata(documents, settings, field)
            documents = _pod_metadata(documents, settings, field)
        if "images" in movable:
            documents = _images(_with_old_names(documents, settings, renamed or {}), settings)
        documents = _replicas(documents, settings) if "replicas" in movable else documents
    return Settled(documents, settings)


def unsettled(value: Value, settings: Sequence[Mapping[str, Any]]) -> Value:
    """The object without what all of some settings say anew, whatever it says: tags, replicas, labels, annotations."""
    if not settings:
        return value
    for field in ("labels", "annotations"):
        keys = frozenset.intersection(*(frozenset(each.get(field, ())) for each in settings))
        if keys and type(value["metadata"].get(field)) is dict:
            value = _without(value, field, keys)
    names = frozenset.intersection(*(frozenset(one["name"] for one in each.get("images", ())) for each in settings))
    if names:
        value = _with_images(value, ImageChanges(tuple(Image(name=name, new_tag="") for name in sorted(names))))
    if _is_scalable(value) and all(resource_id(value).name in each.get("replicas", ()) for each in settings):
        value = _without_replicas(value)
    return value


def resource_id(value: Value) -> ResourceId:
    """The identity as far as settings look at it."""
    metadata = value["metadata"]
    return ResourceId(value["apiVersion"].rpartition("/")[0], value["kind"], "", metadata.get("name") or "")


def _selector_labels(documents: Documents, settings: dict[str, dict[str, Any]]) -> Documents:
    """Labels that differ between environments and stand wherever kustomize puts those that go into selectors."""
    moved: Documents = {}
    for environment, values in documents.items():
        own: dict[str, str] = {}
        now = values
        for key, text in _shared([value["metadata"].get("labels") for value in values]).items():
            pair = {key: text}
            if all(_is_in_all(pair, other) for other in documents.values()):
                continue
            left = [without_selector_labels(resource_id(value), value, pair) for value in now]
            is_put_back = all(
                same(with_selector_labels(resource_id(one), one, pair), value)
                for one, value in zip(left, now, strict=True)
            )
            # Where nothing selects, `labels` say the same.
            if is_put_back and any(map(_is_selecting, values)):
                own[key], now = text, left
        if own:
            settings[environment]["selectorLabels"] = own
        moved[environment] = now
    return moved


def _is_in_all(pair: dict[str, str], values: Sequence[Value]) -> bool:
    """Whether all objects have a label."""
    return all(pair.items() <= (value["metadata"].get("labels") or {}).items() for value in values)


def _is_selecting(value: Value) -> bool:
    """Whether an object of the kind has a selector into which labels are put."""
    return (value["apiVersion"].rpartition("/")[0], value["kind"]) in SELECTING


def _metadata(documents: Documents, settings: dict[str, dict[str, Any]], field: str) -> Documents:
    """Labels or annotations that every object of an environment has."""
    maps = {
        environment: [value["metadata"].get(field) for value in values] for environment, values in documents.items()
    }
    common = {environment: _shared(each) for environment, each in maps.items()}
    stated = {environment: _stated(each) for environment, each in maps.items()}
    return _moved(documents, settings, field, common, lambda keys: lambda value: _without(value, field, keys), stated)


def _pod_metadata(documents: Documents, settings: dict[str, dict[str, Any]], field: str) -> Documents:
    """Labels or annotations that every pod template of an environment has."""
    common: dict[str, dict[str, str]] = {}
    stated: dict[str, set[tuple[str, str]]] = {}
    for environment, values in documents.items():
        identities = [resource_id(value) for value in values]
        templates = [
            template
            for identity, value in zip(identities, values, strict=True)
            if (identity.group, identity.kind) in WORKLOADS and (template := pod_template(identity, value)) is not None
        ]
        metadata = [template.get("metadata") for template in templates]
        maps = [each.get(field) if type(each) is dict else None for each in metadata]
        common[environment], stated[environment] = _shared(maps), _stated(maps)

    def change(keys: frozenset[str]) -> Change:
        def on_pods(value: Value) -> Value:
            if (resource_id(value).group, value["kind"]) not in WORKLOADS:
                return value
            return map_pod_template(resource_id(value), value, lambda template: _without(template, field, keys))

        return on_pods

    return _moved(documents, settings, f"pod{field.capitalize()}", common, change, stated)


def _shared(maps: Sequence[Any]) -> dict[str, str]:
    """The entries that all maps have; none when there are too few maps or one is no map."""
    if len(maps) < _ENOUGH or not all(type(each) is dict for each in maps):
        return {}
    return {
        key: value
        for key, value in maps[0].items()
        if type(value) is str and all(same(each.get(key), value) for each in maps[1:])
    }


def _moved(
    documents: Documents,
    settings: dict[str, dict[str, Any]],
    name: str,
    common: dict[str, dict[str, str]],
    change: Callable[[frozenset[str]], Change],
    stated: dict[str, set[tuple[str, str]]],
) -> Documents:
    """Move the entries that differ between environments into the setting of that name.

    An entry that some object of another environment has as well (`stated`) is no difference: it stays where it is, so
    that the base keeps it.
    """
    everywhere = [
        item for item in next(iter(common.values())).items() if all(item in each.items() for each in common.values())
    ]
    moved: Documents = {}
    for environment, values in documents.items():
        elsewhere = {
            item for other, each in stated.items() if other != environment for item in each - set(common[other].items())
        }
        own = {
            key: value
            for key, value in common[environment].items()
            if (key, value) not in everywhere and (key, value) not in elsewhere
        }
        if own:
            settings[environment][name] = own
        take_out = change(frozenset(own))
        moved[environment] = [take_out(value) for value in values] if own else values
    return moved


def _stated(maps: Sequence[Any]) -> set[tuple[str, str]]:
    """The entries that any of the maps has."""
    return {(key, value) for each in maps if type(each) is dict for key, value in each.items() if type(value) is str}


def _without(value: Value, field: str, keys: frozenset[str]) -> Value:
    """The object without some labels or annotations."""
    metadata = value["metadata"]
    left = {key: item for key, item in metadata[field].items() if key not in keys}
    placed = {key: left if key == field else item for key, item in metadata.items() if key != field or left}
    return {**value, "metadata": placed}


def _with_old_names(
    documents: Documents, settings: dict[str, dict[str, Any]], renamed: Mapping[str, Mapping[str, str]]
) -> Documents:
    """The objects with the names of images that the base has; the settings say the new ones."""
    found = dict(documents)
    for environment, names in renamed.items():
        values = documents.get(environment, [])
        present = {parse_image(image).name for value in values for image in _image_texts(value)}
        usable = {new: old for new, old in names.items() if new in present and old not in present}
        if not usable or len(set(usable.values())) < len(usable):
            continue
        back = ImageChanges(tuple(Image(name=new, new_name=old) for new, old in usable.items()))
        found[environment] = [_with_images(value, back) for value in values]
        settings[environment]["images"] = [{"name": old, "newName": new} for new, old in sorted(usable.items())]
    return found


def _images(documents: Documents, settings: dict[str, dict[str, Any]]) -> Documents:
    """Tags and digests of images that have one tag inside of each environment, and not the same in all of them."""
    references: dict[str, dict[str, set[str]]] = {}
    for environment, values in documents.items():
        for value in values:
            for image in _image_texts(value):
                references.setdefault(parse_image(image).name, {}).setdefault(environment, set()).add(image)
    movable = [name for name, by_environment in references.items() if _is_movable(name, by_environment)]
    if not movable:
        return documents
    bare = ImageChanges(tuple(Image(name=name, new_tag="") for name in movable))
    for environment in documents:
        entries = []
        for name in sorted(movable):
            for image in references[name].get(environment, ()):
                reference = parse_image(image)
                entry = {"name": name, "newTag": reference.tag, "digest": reference.digest}
                entries.append({key: item for key, item in entry.items() if item})
        given = {each["name"]: each for each in settings[environment].get("images", ())}
        entries = [{**given.pop(entry["name"], {}), **entry} for entry in entries]
        if entries or given:
            settings[environment]["images"] = sorted([*entries, *given.values()], key=operator.itemgetter("name"))
    return {environment: [_with_images(value, bare) for value in values] for environment, values in documents.items()}


def _image_texts(value: Any) -> Iterator[str]:
    if type(value) is dict:
        for key, item in value.items():
            if key in CONTAINER_LISTS and type(item) is list:
                for container in item:
                    if type(container) is dict and type(container.get("image")) is str:
                        yield container["image"]
            yield from _image_texts(item)
    elif type(value) is list:
        for item in value:
            yield from _image_texts(item)


def _is_movable(name: str, by_environment: dict[str, set[str]]) -> bool:
    if len(by_environment) < _ENOUGH or any(len(images) > 1 for images in by_environment.values()):
        return False
    images = {image for each in by_environment.values() for image in each}
    if len(images) < _ENOUGH:
        return False
    for image in images:
        reference = parse_image(image)
        if not name or str(reference) != image or not (reference.tag or reference.digest):
            return False
        if reference.digest and not _DIGEST.fullmatch(reference.digest):
            return False
    return True


def _with_images(value: Value, changes: ImageChanges) -> Value:
    for _, after in changes.apply(resource_id(value), value):
        value = after
    return value


def _replicas(documents: Documents, settings: dict[str, dict[str, Any]]) -> Documents:
    """Replicas of workloads whose number differs between environments."""
    counts: dict[str, dict[str, list[Any]]] = {}
    for environment, values in documents.items():
        for value in values:
            spec = value.get("spec")
            if _is_scalable(value) or (
                type(spec) is dict and "replicas" in spec and template_path(resource_id(value)) is None
            ):
                count = spec.get("replicas", _NONE) if type(spec) is dict else _NONE
                counts.setdefault(resource_id(value).name, {}).setdefault(environment, []).append(count)
    movable = {name: found for name, found in counts.items() if _is_countable(name, found)}
    moved: Documents = {}
    for environment, values in documents.items():
        own = {
            name: found[environment][0]
            for name, found in sorted(movable.items())
            if found.get(environment, [_NONE])[0] != _NONE
        }
        if own:
            settings[environment]["replicas"] = own
        moved[environment] = [
            _without_replicas(value) if _is_scalable(value) and resource_id(value).name in movable else value
            for value in values
        ]
    return moved


def _is_scalable(value: Value) -> bool:
    return (value["apiVersion"].rpartition("/")[0], value["kind"]) in SCALABLE


def _is_countable(name: str, found: dict[str, list[Any]]) -> bool:
    """Tell whether the workloads of a name have one number in each environment, and not the same in all."""
    if not name or len(found) < _ENOUGH:
        return False
    for counts in found.values():
        if any(not same(count, counts[0]) for count in counts):
            return False
        if counts[0] != _NONE and (type(counts[0]) is not int or counts[0] < 0):
            return False
    return len({counts[0] for counts in found.values()}) > 1


def _without_replicas(value: Value) -> Value:
    spec = value.get("spec")
    if type(spec) is not dict or "replicas" not in spec:
        return value
    return {**value, "spec": {key: item for key, item in spec.items() if key != "replicas"}}
