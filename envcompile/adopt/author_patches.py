"""Patches of kustomizations as the author wrote them: files, texts inside of the kustomization, JSON patches."""

from __future__ import annotations

import itertools
import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.authors import Written, read_written, what_of
from envcompile.adopt.kustomization_files import below, contents
from envcompile.compose.differences import glob_of
from envcompile.compose.targets import parse_selector
from envcompile.errors import EnvcError
from envcompile.settings import API_VERSION
from envcompile.yamlio import edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.existing import Value
    from envcompile.adopt.kustomization_files import Kustomization

_FIELDS: Final = ("patchesStrategicMerge", "patches", "patchesJson6902")
"""In the order in which kustomize lays them."""
_PLAIN: Final = frozenset({"Service", "ReplicationController"})
"""Kinds whose selector is the labels themselves."""
_SELECTING: Final = frozenset({
    ("", "Service"), ("", "ReplicationController"), ("apps", "Deployment"), ("apps", "StatefulSet"),
    ("apps", "DaemonSet"), ("apps", "ReplicaSet"),
})  # fmt: skip
"""Kinds in whose selectors kustomize puts labels whether they have some or not."""
_INLINE: Final = 2000
"""Patches inside of a kustomization stand behind documents of the author's, should they be in one file."""
_MOST_TARGETS: Final = 8
_MOST_PARTS: Final = 40
_GLOBS: Final = {".*": "*", ".+": "?*", ".": "?"}
_PIECE: Final = re.compile(r"\\.|\.\*|\.\+|\.|[\w-]+")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9]+")

What = tuple[str, str, str]


class _Patch(NamedTuple):
    """One patch of a kustomization."""

    place: tuple[str, int]
    """Its file, and the number there."""
    text: str
    target: Mapping[str, Any] | None
    keeps_file: bool


def patch_files(kustomization: Kustomization) -> tuple[str, ...]:
    """The files that a kustomization names as patches, relative to the start, each once."""
    found = []
    for field in _FIELDS:
        items = kustomization.value.get(field)
        for each in items if type(items) is list else ():
            path = each.get("path") if type(each) is dict else each
            if type(path) is str and "\n" not in path:
                found.append(below(kustomization.folder, path))
    return tuple(dict.fromkeys(found))


def read_patches(source: Path, kustomization: Kustomization, objects: Sequence[Value]) -> Iterator[Written]:
    """The patches of a kustomization as documents of an overlay, in their order.

    One that names its object is that document. One with a target that several objects fit is a `kind: Patch`, and
    beside it stands what it says of each of them, for where it cannot be one: a document of the object, a JSON patch.

    Args:
        source: the folder of the project.
        kustomization: whose patches they are.
        objects: what it is made into, for what a target reaches.
    """
    for patch in _selectors(kustomization, objects):
        reached = tuple(dict.fromkeys(what_of(value) for value in objects if _fits(patch.target or {}, value, objects)))
        for value in yamlio.load_all(patch.text.encode(), patch.place[0]):
            # Of a single object they are said with the rest of it.
            yield from _wide(patch, value, reached)
    for patch in _patches(source, kustomization):
        if patch.target is None:
            yield from _named(patch, objects)
            continue
        try:
            values = [value for value in yamlio.load_all(patch.text.encode(), patch.place[0]) if value is not None]
        except EnvcError:
            continue
        reached = tuple(dict.fromkeys(what_of(value) for value in objects if _fits(patch.target, value, objects)))
        if len(values) != 1 or not reached or type(values[0]) not in {dict, list}:
            continue
        yield from _wide(patch, values[0], reached)
        for what in reached if len(reached) <= _MOST_PARTS else ():
            yield _narrow(patch, values[0], what, is_part=len(reached) > 1)


def _patches(source: Path, kustomization: Kustomization) -> Iterator[_Patch]:
    count = 0
    for field in _FIELDS:
        items = kustomization.value.get(field)
        for item in items if type(items) is list else ():
            count += 1
            entry = item if type(item) is dict else {}
            target = entry.get("target")
            target = target if type(target) is dict else None
            path, text = entry.get("path"), entry.get("patch")
            if type(item) is str:
                path, text = (None, item) if "\n" in item else (item, None)
            inline = posixpath.join(kustomization.folder, f"patch-{count}.yaml").removeprefix("./")
            if type(text) is str:
                yield _Patch((inline, _INLINE + count), text, target, keeps_file=False)
            elif type(path) is str:
                file = below(kustomization.folder, path)
                data = contents(source, file)
                if data is not None:
                    keeps = file.endswith((".yaml", ".yml"))
                    yield _Patch((file, 0), data.decode("utf-8", "replace"), target, keeps_file=keeps)


def _selectors(kustomization: Kustomization, objects: Sequence[Value]) -> Iterator[_Patch]:
    """What labels that go into selectors, too, say of the selectors of each kind; settings say the rest of them.

    Source: kustomize's `commonLabels` and `includeSelectors`, api/internal/konfig/builtinpluginconsts/commonlabels.go.
    """
    common = kustomization.value.get("commonLabels")
    found = [common] if type(common) is dict else []
    found += [
        entry["pairs"]
        for _, entry in kustomization.maps("labels")
        if entry.get("includeSelectors") is True and type(entry.get("pairs")) is dict
    ]
    pairs = {str(key): str(text) for each in found for key, text in each.items()}
    kinds = dict.fromkeys(value["kind"] for value in objects if pairs and what_of(value)[:2] in _SELECTING)
    for number, kind in enumerate(sorted(kinds)):
        selector: Value = pairs if kind in _PLAIN else {"matchLabels": pairs}
        file = posixpath.join(kustomization.folder, f"selectors-{kind.lower()}.yaml").removeprefix("./")
        text = yamlio.dump({"spec": {"selector": selector}})
        yield _Patch((file, _INLINE + number), text, {"kind": kind}, keeps_file=True)


def _named(patch: _Patch, objects: Sequence[Value]) -> Iterator[Written]:
    """Documents that name their objects, also by the name before prefixes and suffixes."""
    names = {what_of(value) for value in objects}
    path, number = patch.place
    for each in read_written(path, patch.text.encode(), keeps_file=patch.keeps_file):
        group, kind, name = what_of(each.value)
        fitting = [what for what in names if what[:2] == (group, kind) and name in what[2]]
        exact = (group, kind, name) in names
        reached = () if exact or len(fitting) != 1 else tuple(fitting)
        yield each._replace(number=number + each.number, reaches=reached)


def _fits(target: Mapping[str, Any], value: Value, objects: Sequence[Value]) -> bool:
    """Whether a target of kustomize names an object, also by the name before prefixes and suffixes."""
    group, kind, name = what_of(value)
    if target.get("group") not in {None, "", group} or not _is_like(target.get("kind"), kind):
        return False
    wanted = target.get("name")
    if not _is_like(wanted, name):
        known = {what_of(each) for each in objects}
        if any(_is_like(wanted, each[2]) for each in known if each[:2] == (group, kind)) or not _is_in(wanted, name):
            return False
    metadata = value["metadata"]
    return _is_selected(target.get("labelSelector"), metadata.get("labels")) and _is_selected(
        target.get("annotationSelector"), metadata.get("annotations")
    )


def _is_like(pattern: Any, text: str) -> bool:
    if not pattern:
        return True
    try:
        return re.fullmatch(str(pattern), text) is not None
    except re.error:
        return False


def _is_in(pattern: Any, text: str) -> bool:
    return re.fullmatch(r"[\w-]+", str(pattern)) is not None and str(pattern) in text


def _is_selected(selector: Any, labels: Any) -> bool:
    if not selector:
        return True
    try:
        return all(each.holds(labels if type(labels) is dict else {}) for each in parse_selector(str(selector)))
    except ValueError:
        return False


def _wide(patch: _Patch, value: Any, reached: tuple[What, ...]) -> Iterator[Written]:
    """A `kind: Patch` for several objects with the author's lines; one for each alternative that a target names."""
    path, number = patch.place
    targets = _targets(patch.target or {}) if len(reached) > 1 else []
    fitting = {position: _reached_by(target, reached) for position, target in enumerate(targets)}
    if not all(fitting.values()):
        return
    for position, target in enumerate(targets):
        document, text = _document(patch, value, target)
        file = path if patch.keeps_file else posixpath.join(posixpath.dirname(path), f"patch-{_name(document)}.yaml")
        yield Written(file, number, document, "", text, reaches=fitting[position], is_wide=True, part_of=patch.place)


def _reached_by(target: Mapping[str, Any], reached: tuple[What, ...]) -> tuple[What, ...]:
    return tuple(
        what
        for what in reached
        if fnmatchcase(what[1], target.get("kind", "*")) and fnmatchcase(what[2], target.get("name", "*"))
    )


def _narrow(patch: _Patch, value: Any, what: What, *, is_part: bool) -> Written:
    """What a patch says of one object: a document of that object, or a `kind: Patch` for it."""
    path, number = patch.place
    text = _bare(patch.text)
    if type(value) is list:
        value, text = _document(patch, value, _exact(what))
    part_of = patch.place if is_part else None
    return Written(path, number, value, "", text, keeps_file=patch.keeps_file, reaches=(what,), part_of=part_of)


def _document(patch: _Patch, value: Any, target: dict[str, Any]) -> tuple[Value, str]:
    """The `kind: Patch` with a target, and its text."""
    stem = posixpath.splitext(posixpath.basename(patch.place[0]))[0]
    name = stem if patch.keeps_file else _UNFIT.sub("-", f"{target.get('kind', 'all')}-{target.get('name', '')}")
    field, content = ("json6902", value) if type(value) is list else ("merge", _without_identity(value))
    head = {"apiVersion": API_VERSION, "kind": "Patch", "metadata": {"name": name.strip("-").lower()}}
    document: Value = {**head, "target": target, field: content}
    return document, _text(document, field, patch.text)


def _name(document: Value) -> str:
    name: str = document["metadata"]["name"]
    return name


def _exact(what: What) -> dict[str, Any]:
    group, kind, name = what
    return {**({"group": group} if group else {}), "kind": kind, "name": glob_of(name)}


def _targets(target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The targets of envc that together name what one of kustomize does; none where globs cannot."""
    if target.get("annotationSelector"):
        return []
    parts: list[list[tuple[str, str]]] = []
    for field in ("kind", "name"):
        if target.get(field):
            pattern = str(target[field]).removeprefix("^").removesuffix("$")
            pattern = pattern[1:-1] if re.fullmatch(r"\([^()]*\)", pattern) else pattern
            globs = [_glob(each) for each in pattern.split("|")]
            parts.append([(field, each) for each in globs if each is not None])
            if None in globs:
                return []
    head = {field: target[field] for field in ("group",) if target.get(field)}
    tail = {field: target[field] for field in ("labelSelector",) if target.get(field)}
    found = [{**head, **dict(chosen), **tail} for chosen in itertools.product(*parts)]
    return [] if len(found) > _MOST_TARGETS else found


def _glob(pattern: str) -> str | None:
    """A glob for a regular expression; None where there is none."""
    pieces = _PIECE.findall(pattern)
    if "".join(pieces) != pattern:
        return None
    return "".join(_GLOBS.get(each) or glob_of(each.removeprefix("\\")) for each in pieces)


def _without_identity(value: Value) -> Value:
    """What a patch changes, without what names its object."""
    metadata = value.get("metadata")
    rest = {key: item for key, item in value.items() if key not in {"apiVersion", "kind", "metadata"}}
    if type(metadata) is not dict:
        return rest
    own = {key: item for key, item in metadata.items() if key not in {"name", "namespace"}}
    return {"metadata": own, **rest} if own else rest


def _bare(text: str) -> str:
    """The text without a mark before it, and with an end to its last line."""
    lines = text.splitlines(keepends=True)
    while lines and (lines[0].startswith("---") or not lines[0].strip()):
        lines.pop(0)
    return "".join(lines).rstrip("\n") + "\n"


def _text(document: Value, field: str, text: str) -> str:
    head = yamlio.dump({key: item for key, item in document.items() if key != field})
    body = "".join(f"  {line}" if line.strip() else line for line in _bare(text).splitlines(keepends=True))
    try:
        return edit.set_value(f"{head}{field}:\n{body}", 0, (), document)
    except EnvcError:
        return yamlio.dump(document)
