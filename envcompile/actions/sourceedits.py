"""Which places of which files say a field, and these files with the field changed; comments and layout stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from envcompile import yamlio
from envcompile.actions.sharededits import readers
from envcompile.check.mend import alone_in, as_written, unchanged
from envcompile.kubernetes.fieldpath import look_up, resolve
from envcompile.sources.chartlock import is_rendered
from envcompile.units.field_places import field_path
from envcompile.values import ABSENT, same, value_at
from envcompile.yamlio import edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.check.mend import Mend
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Document, Pointer, Resource, Step
    from envcompile.units.project import CompiledEnvironment


class UnplacedError(Exception):
    """Why a field is not changed in the sources."""


class SourceEdit(NamedTuple):
    """One change of a file: a value is set or taken out, or a key gets another name."""

    file: str
    index: int  # type: ignore[assignment]  # the document of the file; nobody looks a value up in a change's fields
    pointer: Pointer
    what: Literal["set", "quote", "rename", "take"]
    value: str = ""
    """The new key, or the new value as JSON, so that equal changes are equal."""
    origin: Pointer = ()
    """Where the value was until now: comments there come along."""


def changes_of(built: CompiledEnvironment, resource: Resource, mend: Mend) -> Iterator[SourceEdit]:
    """What has to be changed in the files for a mend.

    Raises:
        UnplacedError: something else than a YAML document of a layer has a say in the field.
    """
    said = list(_said(built, resource, mend.field))
    if not said and mend.adds:
        document, pointer = _home(built, resource, mend.field)
        yield SourceEdit(document.source.path, document.index, pointer, "set", _json(mend.convert(ABSENT)))
        return
    if not said:
        raise UnplacedError("no file says it in so many words: mend it by hand")
    for step, document, pointer in said:
        full = (*document.within, *pointer)
        where = (document.source.path, document.index)
        if mend.to is None:
            yield SourceEdit(*where, full, "take")
        elif mend.convert is as_written:
            yield SourceEdit(*where, full, "quote")
        else:
            value = _raw(document, full)
            new = _converted(mend, value, look_up(document.value, pointer))
            if mend.to[:-1] == mend.field[:-1]:
                if not same(new, value):
                    yield SourceEdit(*where, full, "set", _json(new))
                if mend.to != mend.field:
                    yield SourceEdit(*where, full, "rename", str(mend.to[-1]))
            else:
                target = (*document.within, *_target(built, resource, step, mend.to))
                yield SourceEdit(*where, target, "set", _json(new), full)
                yield SourceEdit(*where, full, "take")


def _raw(document: Document, pointer: Pointer) -> Any:
    """What the file says, before parameters are filled in."""
    return value_at(yamlio.load_all(document.source.read(), document.source.path)[document.index], pointer)


def _converted(mend: Mend, written: Any, value: Any) -> Any:
    """The value as it should be; one that takes something away stays as it is.

    Raises:
        UnplacedError: a parameter makes the value, which would have to change.
    """
    if written is None or mend.convert is unchanged:
        return written
    if not same(written, value):
        raise UnplacedError("a parameter makes it: mend it there by hand")
    return mend.convert(value)


def changed(text: str, file: str, changes: Sequence[SourceEdit]) -> str:
    """The text of a file with changes; what is taken out goes last, and the last items of lists first.

    Raises:
        EnvcError: it is written so that a change would reach beyond its place.
    """
    import json

    order = {"quote": 0, "set": 0, "rename": 1, "take": 2}
    ways = [change for change in changes if change.what == "take"]
    ways.sort(
        key=lambda change: [(isinstance(step, int), -step if isinstance(step, int) else 0) for step in change.pointer]
    )
    rest = sorted((change for change in changes if change.what != "take"), key=lambda change: order[change.what])
    moved = {(change.index, change.origin) for change in rest if change.origin}
    for change in (*rest, *ways):
        match change.what:
            case "set":
                said = _comments(text, file, change)
                value, others = json.loads(change.value), readers(change, text)
                text = edit.set_value(text, change.index, change.pointer, value, file=file, readers=others)
                text = edit.with_comments(text, change.index, change.pointer, said)
            case "quote":
                plain = edit.written(text, change.index, change.pointer, file=file)
                if plain is not None:
                    others = readers(change, text)
                    text = edit.set_value(text, change.index, change.pointer, plain, file=file, readers=others)
            case "rename":
                others = readers(change, text)
                text = edit.rename(text, change.index, change.pointer, change.value, file=file, readers=others)
            case "take":
                outer = _alone(text, file, change.index, change.pointer)
                if (change.index, change.pointer) in moved:
                    for way in dict.fromkeys((change.pointer, outer)):
                        text = edit.without_comments_above(text, change.index, way)
                others = readers(change._replace(pointer=outer), text)
                text = edit.delete(text, change.index, outer, file=file, readers=others)
    return text


def _alone(text: str, file: str, index: int, pointer: Pointer) -> Pointer:
    """The way to what goes with a field: the outermost map that holds nothing else."""
    return alone_in(yamlio.load_all(text.encode(), file)[index], pointer)


def _comments(text: str, file: str, change: SourceEdit) -> edit.Comments:
    """The comments that come along with what moves, those on the maps that go with it included."""
    if not change.origin:
        return edit.Comments()
    own = edit.comments(text, change.index, change.origin)
    outer = _alone(text, file, change.index, change.origin)
    if outer == change.origin:
        return own
    around = edit.comments(text, change.index, outer)
    return edit.Comments((*around.above, *own.above), own.behind or around.behind)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, sort_keys=True)


def _path(built: CompiledEnvironment, resource: Resource, pointer: Pointer) -> FieldPath:
    group, _, version = str(resource.value.get("apiVersion", "")).rpartition("/")
    there, missing = field_path(pointer, resource.value, built.composed.api.node(group, version, resource.id.kind))
    return (*there, *missing)


def _said(built: CompiledEnvironment, resource: Resource, field: Pointer) -> Iterator[tuple[Step, Document, Pointer]]:
    """The documents that write a field down, each with the way to it.

    Raises:
        UnplacedError: something else has a say in it.
    """
    path = _path(built, resource, field)
    for step in resource.steps:
        document = step.document
        pointer = None
        if document is not None and step.role != "json6902":
            pointer = resolve(path, look_up(document.value, step.within))
        if document is not None and pointer is not None:
            yield step, _editable(document), (*step.within, *pointer)
        elif not same(_at(step.before, path), _at(step.after, path)):
            if document is not None:
                what = "a JSON patch" if step.role == "json6902" else "a patch of what is around it"
                raise UnplacedError(f"{what} in {document.source.path} changes it: mend it there by hand")
            name = ".".join(map(str, step.within)) or step.role
            raise UnplacedError(f"`{name}` of the settings changes it: mend it there by hand")


def _editable(document: Document) -> Document:
    """The document, if its file can be edited.

    Raises:
        UnplacedError: it cannot.
    """
    if document.generated:
        raise UnplacedError(f"{document.source.path} computes it: mend it there by hand")
    if not document.source.path.endswith((".yaml", ".yml")):
        raise UnplacedError(f"{document.source.path} is no YAML file: mend it there by hand")
    if is_rendered(document.source.read()):
        what = f"a chart makes {document.source.path}: mend it by a patch in overlays/, or by the chart's values"
        raise UnplacedError(what)
    return document


def _home(built: CompiledEnvironment, resource: Resource, field: Pointer) -> tuple[Document, Pointer]:
    """The document that first wrote what is nearest around a field, and the way to the field in it.

    Raises:
        UnplacedError: its file cannot be edited.
    """
    path = _path(built, resource, field)
    for length in range(len(path) - 1, -1, -1):
        for step in resource.steps:
            if step.document is None or step.role == "json6902":
                continue
            root = look_up(step.document.value, step.within)
            pointer = resolve(path[:length], root)
            if pointer is not None and isinstance(look_up(root, pointer), dict):
                missing = path[length:]
                if any(not isinstance(part, str) for part in missing):
                    continue
                document = _editable(step.document)
                return document, (*document.within, *step.within, *pointer, *map(str, missing))
    raise UnplacedError("no file says what is around it: mend it by hand")


def _target(built: CompiledEnvironment, resource: Resource, step: Step, to: Pointer) -> Pointer:
    """The way to a field in a document that may not have it yet.

    Raises:
        UnplacedError: a list on the way has no such item there.
    """
    path = _path(built, resource, to)
    root = look_up(step.document.value, step.within) if step.document is not None else None
    for length in range(len(path), -1, -1):
        pointer = resolve(path[:length], root)
        if pointer is not None:
            missing = path[length:]
            if all(isinstance(part, str) for part in missing):
                return (*step.within, *pointer, *map(str, missing))
            break
    raise UnplacedError("the document does not have what it belongs into: mend it by hand")


def _at(value: Any, path: FieldPath) -> Any:
    pointer = resolve(path, value) if value is not None else None
    return value_at(value, pointer) if pointer is not None else ABSENT
