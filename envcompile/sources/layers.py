"""Which overlays are laid under which, and the settings that come out of them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from envcompile import yamlio
from envcompile.errors import EnvcError, Problems, did_you_mean
from envcompile.model import Location
from envcompile.settings import Environment
from envcompile.sources.params import MARK, parameters_in, substitute
from envcompile.sources.project import BASE, ENVIRONMENT_FILE, OVERLAYS, SOURCE_ENDINGS
from envcompile.sources.settingsfile import read_model
from envcompile.sources.tree import file_start, join
from envcompile.sources.yamlfiles import KUSTOMIZATIONS, report_kustomization
from envcompile.values import ABSENT, value_at
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envcompile.errors import Problem
    from envcompile.model import Document, Pointer
    from envcompile.sources.project import Overlay

_OWN = frozenset({"apiVersion", "kind", "abstract", "extends"})
"""What a folder says about itself and passes on to nobody."""
_CONCATENATED = frozenset({"exclude", "owners"})


def resolve_extends(overlays: Mapping[str, Overlay], problems: Problems) -> dict[str, tuple[str, ...]]:
    """The overlays that each one extends, by name and in order.

    A path that leads to no folder directly below `overlays/` is noted and left out.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, overlay in overlays.items():
        below: list[str] = []
        for position, path in enumerate(overlay.settings.extends if overlay.settings else ()):
            target = join(overlay.folder, path)
            parent, leaf = posixpath.split(target or "")
            if parent == OVERLAYS and leaf in overlays:
                below.append(leaf)
                continue
            if overlay.document is not None:
                where = place(overlay.document, ("extends", position))
                problems.add(*_unknown_layer(path, target, overlays), where)
        found[name] = tuple(below)
    return found


def _unknown_layer(path: str, target: str | None, overlays: Mapping[str, Overlay]) -> tuple[str, str]:
    parent, leaf = posixpath.split(target or "")
    if parent == OVERLAYS:
        near = did_you_mean(f"../{leaf}", [f"../{name}" for name in overlays], f"create the folder {target}")
        return f"`extends` names `{path}`, but there is no folder {target}", near
    if target == BASE or parent.startswith(BASE):
        return f"`extends` names `{path}`, which is no overlay", f"take it out: {BASE}/ is under every environment"
    what = f"`extends` names `{path}`, which is no folder directly below {OVERLAYS}/"
    plain = path.strip("/").removeprefix("./")
    if plain.removeprefix(f"{OVERLAYS}/") in overlays:
        return what, f"did you mean `../{plain.removeprefix(f'{OVERLAYS}/')}`?"
    return what, "paths start at this environment's own folder: write `../<folder>`"


def order_layers(
    extends: Mapping[str, tuple[str, ...]], overlays: Mapping[str, Overlay], problems: Problems
) -> dict[str, tuple[str, ...]]:
    """For each overlay the overlays it consists of, lowest first and itself last; a diamond is laid once.

    Circles are noted; an overlay that leads into one has no entry.
    """
    ordered: dict[str, tuple[str, ...]] = {}
    broken: set[str] = set()
    for start in sorted(extends):
        path: list[str] = []
        todo = [(start, False)]
        while todo:
            name, finished = todo.pop()
            if finished:
                path.pop()
                if all(below in ordered for below in extends[name]):
                    laid = dict.fromkeys(layer for below in extends[name] for layer in ordered[below])
                    ordered[name] = (*laid, name)
                else:
                    broken.add(name)
            elif name in path:
                _report_circle(path[path.index(name) :], extends, overlays, problems)
            elif name not in ordered and name not in broken:
                path.append(name)
                todo.append((name, True))
                todo += [(below, False) for below in reversed(extends[name])]
    return ordered


def _report_circle(
    circle: list[str], extends: Mapping[str, tuple[str, ...]], overlays: Mapping[str, Overlay], problems: Problems
) -> None:
    """Note a circle, always told from its first name in the alphabet so that it is told once."""
    first = circle.index(min(circle))
    circle = circle[first:] + circle[:first]
    places: list[Location] = []
    for name, below in zip(circle, circle[1:] + circle[:1], strict=True):
        document = overlays[name].document
        if document is not None:
            places.append(place(document, ("extends", extends[name].index(below))))
    what = f"overlays extend each other in a circle: {' -> '.join([*circle, circle[0]])}"
    if len(circle) == 1:
        what = f"the overlay `{circle[0]}` extends itself"
    problems.add(what, "take one of these `extends` out", *places)


def report_forgotten(
    overlays: Mapping[str, Overlay], extends: Mapping[str, tuple[str, ...]], problems: Problems
) -> None:
    """Note the folders that hold resources, but neither are an environment nor are extended by one."""
    used = {name for below in extends.values() for name in below}
    for name, overlay in overlays.items():
        if name in used:
            continue
        sources = [entry.path for entry in overlay.files if entry.path.lower().endswith(SOURCE_ENDINGS)]
        if sources and f"{overlay.folder}/{ENVIRONMENT_FILE}" not in sources:
            kustomizations = [path for path in sources if posixpath.basename(path) in KUSTOMIZATIONS]
            if kustomizations:
                report_kustomization(kustomizations[0], problems)
                continue
            misnamed = [path for path in sources if posixpath.basename(path).lower() in _MISSPELT]
            fix = f"rename {misnamed[0]}" if misnamed else "add one, or list the folder in `extends` of an environment"
            what = f"`{overlay.folder}` has no {ENVIRONMENT_FILE} and no environment extends it"
            problems.add(what, fix, file_start(misnamed[0] if misnamed else sources[0]))


_MISSPELT = frozenset({"environment.yaml", "environment.yml", "environments.yaml", "env.yaml", "environment.json"})


class EffectiveSettings:
    """The settings of one environment, put together from its layers, and where each of them was said.

    Args:
        layers: the environment's overlays, lowest first and its own last.

    Later layers win: scalars override, maps merge by key at any depth, images merge by name, `exclude` and
    `owners` add up. `abstract` and `extends` are the environment's own. Strings may use parameters.

    Raises:
        EnvcError: a parameter that does not exist or does not fit.
    """

    __slots__ = ("_documents", "_images", "_items", "raw", "settings")

    def __init__(self, layers: tuple[Overlay, ...]) -> None:
        import msgspec

        documents = [layer.document for layer in layers if layer.document is not None]
        params: dict[str, Any] = {}
        for document in documents:
            if own_params := document.value.get("params"):
                params = overlaid({"params": params}, {"params": own_params})["params"] if params else own_params
        self._documents = tuple([_with_params(document, params, documents) for document in documents])
        self.raw: dict[str, Any] = {}
        for document in self._documents:
            own = document.layer == layers[-1].folder
            said = {key: item for key, item in document.value.items() if own or key not in _OWN}
            self.raw = overlaid(self.raw, said)
        self.settings = msgspec.convert(self.raw, Environment)
        self._items: dict[str, list[tuple[Document, int]]] = {}
        self._images: list[dict[str, int]] | None = None

    def where(self, pointer: Pointer) -> Location | None:
        """The place that set the value at a pointer of the effective settings; None when no file says it."""
        found = self._origin(pointer)
        if found is None:
            return None
        document, inside = found
        # Below a parameter that holds a map or list there is nothing in the file: the parameter is the place.
        return Location(document.source.path, *yamlio.locate_nearest(document.source.read(), document.index, inside))

    def folder_of(self, pointer: Pointer) -> str | None:
        """The overlay folder whose environment.yaml set the value; None when no file says it."""
        found = self._origin(pointer)
        return found[0].layer if found else None

    def _origin(self, pointer: Pointer) -> tuple[Document, Pointer] | None:
        """The last layer that says the value, and where in its document."""
        if not pointer or value_at(self.raw, pointer) is ABSENT:
            return None
        if pointer[0] in _CONCATENATED and len(pointer) > 1:
            return self._origin_of_item(pointer)
        for number in range(len(self._documents) - 1, -1, -1):
            document = self._documents[number]
            inside: Pointer | None = pointer
            if pointer[0] == "images" and len(pointer) > 1:
                inside = self._image_in(number, pointer)
            if (
                inside is not None
                and value_at(document.value, inside) is not ABSENT
                and self._passes_on(document, pointer)
            ):
                return document, inside
        return None

    def _passes_on(self, document: Document, pointer: Pointer) -> bool:
        return pointer[0] not in _OWN or document is self._documents[-1]

    def _origin_of_item(self, pointer: Pointer) -> tuple[Document, Pointer] | None:
        name, position, *rest = pointer
        if name not in self._items:  # the places of all of them: somebody may ask for each
            first: dict[str, tuple[Document, int]] = {}
            for document in self._documents:
                for index, item in enumerate(document.value.get(name, ())):
                    first.setdefault(_item_key(item), (document, index))
            self._items[str(name)] = list(first.values())
        places = self._items[str(name)]
        if not isinstance(position, int) or position >= len(places):
            return None
        document, index = places[position]
        return document, (name, index, *rest)

    def _image_in(self, number: int, pointer: Pointer) -> Pointer | None:
        if self._images is None:
            self._images = []
            for document in self._documents:
                names = [image["name"] for image in document.value.get("images", ())]
                self._images.append({name: len(names) - 1 - place for place, name in enumerate(reversed(names))})
        position = self._images[number].get(self.raw["images"][pointer[1]]["name"])
        return None if position is None else ("images", position, *pointer[2:])


def _with_params(document: Document, params: dict[str, Any], layers: list[Document]) -> Document:
    """The settings of one layer with parameters put in, except into `params` itself.

    Args:
        document: the layer's environment.yaml.
        params: the parameters of all layers together.
        layers: the environment.yaml of every layer, lowest first.

    Raises:
        EnvcError: an unknown parameter, or one whose type does not fit where it stands.
    """
    value: dict[str, Any] = document.value
    if MARK not in document.source.read():
        return document
    rest = document._replace(value={key: item for key, item in value.items() if key != "params"})
    filled = substitute(rest, params)
    problems = Problems()
    read_model(Environment, filled, problems)
    try:
        problems.raise_any()
    except EnvcError as error:
        raise EnvcError(_naming_parameters(error.problems, rest, layers)) from None
    if "params" in value:
        return filled._replace(value={**filled.value, "params": value["params"]})
    return filled


def _naming_parameters(problems: Iterable[Problem], document: Document, layers: list[Document]) -> Iterator[Problem]:
    """The problems; those of a value that is a parameter say which one, and where it is defined."""
    uses = parameters_in(document.value)
    # What is wrong inside of a parameter's map or list is placed at the key of the setting.
    used = {place(document, (*use.pointer, "")): use.names for use in uses}
    used.update((place(document, use.pointer), use.names) for use in uses)
    for problem in problems:
        names = used.get(problem.where[0], ()) if problem.where else ()
        pointers: list[Pointer] = [("params", name) for name in names]
        definers = [
            next((layer for layer in reversed(layers) if value_at(layer.value, at) is not ABSENT), None)
            for at in pointers
        ]
        places = [place(layer, at) for layer, at in zip(definers, pointers, strict=True) if layer is not None]
        named = " and ".join(f"`{name}`" for name in names)
        fix = f"correct the parameter {named}, or: {problem.fix}" if names else problem.fix
        yield problem._replace(fix=fix, where=(*problem.where, *places))


def overlaid(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """The settings of two layers together; neither of them changes.

    Maps are united key by key and `images` by name, the lists of `_CONCATENATED` hold the items of both layers, each
    once; everything else of the upper layer takes the place of what is below.
    """
    lists = {**dict.fromkeys(_CONCATENATED, _united), "images": _overlaid_images}
    said = {key: lists[key]([], value) if key in lists and key not in below else value for key, value in above.items()}
    if not below:
        return said  # of one layer alone; loading the library takes longer than all else here
    from copy import deepcopy

    from deepmerge import Merger

    def merge_lists(_: Merger, path: list[str], old: list[Any], new: list[Any]) -> list[Any]:
        return lists[path[0]](old, new) if len(path) == 1 and path[0] in lists else new

    return Merger([(list, merge_lists), (dict, "merge")], ["override"], ["override"]).merge(deepcopy(below), said)


def _united(below: list[Any], above: list[Any]) -> list[Any]:
    """The items of both lists in their order, each once."""
    items: dict[str, Any] = {}
    for item in (*below, *above):
        items.setdefault(_item_key(item), item)
    return list(items.values())


def _item_key(item: Any) -> str:
    """What two equal items of `exclude` or `owners` have in common."""
    return repr(sorted(item.items())) if isinstance(item, dict) else repr(item)


def _overlaid_images(below: list[dict[str, Any]], above: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Images by name; a new tag drops the digest from below, and the reverse: together they would contradict."""
    merged = {image["name"]: image for image in below}
    for image in above:
        kept = dict(merged.get(image["name"], {}))
        if image.get("newTag") is not None:
            kept.pop("digest", None)
        if image.get("digest") is not None:
            kept.pop("newTag", None)
        merged[image["name"]] = {**kept, **image}
    return list(merged.values())
