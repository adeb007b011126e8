"""Which of the author's patches make what environments have of the base: then they stay as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.authors import what_of
from envcompile.adopt.namespaces import without_namespace
from envcompile.compose.configmaps import REPLACE_ANNOTATION
from envcompile.compose.differences import changes, glob_of, to_patch
from envcompile.compose.targets import may_reach, parse_selector
from envcompile.kubernetes.generated import SUFFIX_ANNOTATION
from envcompile.settings import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.adopt.authors import Written
    from envcompile.adopt.existing import Value
    from envcompile.adopt.factor import Key
    from envcompile.compose.differences import Rehearsal
    from envcompile.kubernetes import KubeApi

Told = list[tuple["Written | None", "Value"]]
"""Patches with the documents that they are in an overlay; None for what is said besides them."""


_MOST_TRIED: Final = 8


class Laid(NamedTuple):
    """One object of an environment: what is below its overlay's documents, and what they have to make of it."""

    below: Value | None
    """None where the overlay has the object whole."""
    documents: Sequence[Value]
    """What stands in the overlay if none of the author's patches fits."""
    target: Value

    def __repr__(self) -> str:
        return f"Laid({what_of(self.target)})"


class Patching:
    """The author's patches of one environment.

    Args:
        patches: in their order.
        rehearsal: of the environment.
        api: the kinds.
    """

    def __init__(self, patches: Sequence[Written], rehearsal: Rehearsal, api: KubeApi) -> None:
        self._api = api
        self._rehearsal = rehearsal
        self._known: dict[tuple[str, str, str], list[Written]] = {}
        for each in patches:
            for what in each.reaches or (each.what,):
                self._known.setdefault(what, []).append(each)
        self._wide = [each for each in patches if each.is_wide]

    def settle(self, laid: Mapping[Key, Laid], *, with_wide: bool) -> tuple[list[Written], dict[Key, Told]]:
        """The patches for several objects that do what they did wherever they reach, and what is said of each object.

        An object is left out where none of the author's patches makes it. Of several all are tried, then fewer.

        Args:
            laid: the objects of the environment.
            with_wide: whether there shall be patches for several objects.
        """
        wide = list(self._wide) if with_wide else []
        while True:
            told: dict[Key, Told] = {}
            failed: list[Written] = []
            for key, each in laid.items():
                reaching = [one for one in wide if self._reaches(one, each)]
                known = self._of(each, reaching, wide)
                found = self._found(each, known) if known and (reaching or each.documents) else None
                if found is not None:
                    told[key] = found
                failed += [one for one in reaching if all(one is not other for other, _ in found or ())]
            said = [one for found in told.values() for one, _ in found]
            failed += [one for one in wide if all(one is not other for other in said)]
            if not failed:
                return wide, told
            wide = [one for one in wide if all(one is not other for other in failed)]

    def _of(self, laid: Laid, reaching: Sequence[Written], wide: Sequence[Written]) -> list[Written]:
        """The patches that may speak of an object; parts of those that are whole elsewhere do not."""
        whole = {each.part_of for each in wide}
        return [
            each
            for each in self._known.get(what_of(laid.target), [])
            if (each in reaching if each.is_wide else each.part_of not in whole)
        ]

    def _reaches(self, wide: Written, laid: Laid) -> bool:
        """Whether a `kind: Patch` reaches an object in the build."""
        target = to_patch(wide.value).target
        if not may_reach(target, self._rehearsal.identifier.identify(laid.target)):
            return False
        if target.label_selector is None:
            return True
        seen = laid.below if laid.below is not None else laid.documents[0]
        labels = seen["metadata"].get("labels")
        return all(each.holds(labels if type(labels) is dict else {}) for each in parse_selector(target.label_selector))

    def _found(self, laid: Laid, known: Sequence[Written]) -> Told | None:
        placed = [(each, _placed(each, laid.target)) for each in known]
        wide = [each for each in placed if each[0].is_wide]
        if laid.below is None:
            documents = [*laid.documents, *(value for _, value in wide)]
            return list(wide) if wide and self._rehearsal.makes(laid.target, None, documents) else None
        fewer: list[list[tuple[Written, Value]]] = []
        if 1 < len(placed) <= _MOST_TRIED:
            fewer = [placed[:number] + placed[number + 1 :] for number in range(len(placed))] if len(placed) > 2 else []
            fewer += [[each] for each in placed]
        tries = [placed, *fewer, *([wide] if 1 < len(wide) < len(placed) else [])]
        for chosen in tries:
            for told in _tellings(chosen, laid.documents):
                if told and self._rehearsal.makes(laid.target, laid.below, [value for _, value in told]):
                    return told
        rests = (self._with_rest(laid, chosen) for chosen in tries)
        return next((told for told in rests if told is not None), None)

    def _with_rest(self, laid: Laid, chosen: Sequence[tuple[Written, Value]]) -> Told | None:
        """Some patches and what has to be said besides them; None where that is no less than without them."""
        if not chosen or laid.below is None:
            return None
        made = self._rehearsal.made(laid.below, [value for _, value in chosen])
        rest = changes(made, laid.target, self._api, self._rehearsal) if made is not None else None
        if not rest or _size(rest) >= _size(laid.documents):
            return None
        # They stand in files of their own, which may come before or behind: an order of items, say, has to come last.
        own = [value for _, value in chosen]
        if not all(self._rehearsal.makes(laid.target, laid.below, each) for each in ([*own, *rest], [*rest, *own])):
            return None
        return [*chosen, *((None, value) for value in rest)]


def _size(documents: Sequence[Value]) -> int:
    return sum(yamlio.dump(value).count("\n") for value in documents)


def _tellings(chosen: Sequence[tuple[Written, Value]], derived: Sequence[Value]) -> Iterator[Told]:
    """Some patches as they are; then, for generators, with further metadata that the difference has."""
    yield list(chosen)
    if not any(each.generator for each, _ in chosen):
        return
    own: Value = derived[0]["metadata"] if len(derived) == 1 and derived[0]["kind"] != "Patch" else {}
    further = {field: own[field] for field in ("labels", "annotations") if type(own.get(field)) is dict}
    whole_texts = {"annotations": {**further.get("annotations", {}), REPLACE_ANNOTATION: "*"}}
    metadata: tuple[dict[str, Any], ...] = (
        {},
        {"annotations": {REPLACE_ANNOTATION: "*"}},
        further,
        {**further, **whole_texts},
    )
    for takes_away in (False, True):
        for added in metadata:
            yield [
                (each, _with_metadata(_changeable(value) if takes_away else value, added) if each.generator else value)
                for each, value in chosen
            ]


def _changeable(value: Value) -> Value:
    """The document of a generator that is not immutable, over one that is: kustomize takes over only what it says."""
    return value if value.get("immutable") is True else {**value, "immutable": None}


def _with_metadata(value: Value, added: Mapping[str, Any]) -> Value:
    metadata = value["metadata"]
    merged = {
        field: {**metadata.get(field, {}), **{key: item for key, item in items.items() if type(item) is str}}
        for field, items in added.items()
    }
    return {**value, "metadata": {**metadata, **merged}}


def _placed(written: Written, target: Value) -> Value:
    """The document that a patch is in an overlay: with the identity of what it patches, as the build takes it."""
    value = written.value
    name = target["metadata"].get("name")
    if value.get("apiVersion") == API_VERSION:
        return value if written.is_wide else {**value, "target": {**value["target"], "name": glob_of(name or "")}}
    value = _marked_as(written, target)
    metadata = value.get("metadata")
    metadata = metadata if type(metadata) is dict else {}
    if written.reaches or metadata.get("name") != name:
        head = {"apiVersion": target["apiVersion"], "kind": target["kind"]}
        value = {**head, **value, **head, "metadata": {**metadata, "name": name}}
    namespace = target["metadata"].get("namespace")
    if value["metadata"].get("namespace") == namespace:
        return value
    bare = without_namespace(value)
    return {**bare, "metadata": {**bare["metadata"], "namespace": namespace}} if namespace else bare


def _marked_as(written: Written, target: Value) -> Value:
    """A patch; that of a generator wants a hash behind the name only where the object has one."""
    value = written.value
    if written.generator is None or (value["metadata"].get("annotations") or {}).get(SUFFIX_ANNOTATION) is None:
        return value
    if SUFFIX_ANNOTATION in (target["metadata"].get("annotations") or {}):
        return value
    metadata = value["metadata"]
    left = {key: item for key, item in metadata["annotations"].items() if key != SUFFIX_ANNOTATION}
    rest = {key: item for key, item in metadata.items() if key != "annotations"}
    return {**value, "metadata": {**rest, "annotations": left} if left else rest}


def by_what(patches: Iterable[Written]) -> dict[tuple[str, str, str], list[Written]]:
    """Documents by group, kind and name."""
    found: dict[tuple[str, str, str], list[Written]] = {}
    for each in patches:
        found.setdefault(each.what, []).append(each)
    return found
