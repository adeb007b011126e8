"""Another name for a resource or a parameter, everywhere where it is written; kept only when everything compiles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envcompile.editor.cursor import Span, field_at, parameter_at, parsed, scalar_span, span_of
from envcompile.editor.references import named_kind, referred_kind, scalars
from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.editor.workspace import Workspace
    from envcompile.yamlio.nodes import Node

_YAML = (".yaml", ".yml")


class Renamed(NamedTuple):
    """What stands at a place, and can have another name."""

    what: str
    """The kind of the resource; empty for a parameter."""
    name: str
    span: Span


class Edit(NamedTuple):
    """A part of a file that gets another text."""

    file: str
    span: Span
    text: str


def renamed_at(workspace: Workspace, path: str, line: int, character: int) -> Renamed | None:
    """What a rename at a place would rename; None where nothing has a name of its own."""
    text = workspace.read(path)
    row = text.split("\n")[line] if line < text.count("\n") + 1 else ""
    name = parameter_at(text, line, character)
    if name:
        start = row.index(f"params.{name}") + len("params.")
        return Renamed("", name, Span(line, start, line, start + len(name)))
    found = field_at(text, line, character)
    if found is None:
        return None
    if path.endswith("/environment.yaml") and found.is_key and found.pointer[:1] == ("params",) and found.pointer[1:]:
        key = str(found.pointer[-1])
        start = row.index(key)
        return Renamed("", ".".join(map(str, found.pointer[1:])), Span(line, start, line, start + len(key)))
    if found.is_key:
        return None
    for pointer, node, beside in scalars(parsed(text)[found.index]):
        if node is found.node or (pointer == found.pointer and node.start == found.node.start):
            kind = named_kind(pointer, parsed(text)[found.index]) or referred_kind(pointer, beside)
            return Renamed(kind, node.text, scalar_span(text, node)) if kind else None
    return None


def rename(workspace: Workspace, target: Renamed, new: str) -> list[Edit]:
    """The edits that give something another name.

    Raises:
        UsageError: the environments would not compile with it, or it would not be the same but for the name.
    """
    if not workspace.is_sound:
        raise UsageError([Problem("the project does not compile as it is", "mend that first")])
    finder = _of_resource if target.what else _of_parameter
    edits: list[Edit] = []
    for path in _sources(workspace):
        text = workspace.read(path)
        if target.name.rpartition(".")[2] in text:
            edits += finder(path, text, target, new)
    changed = {edit.file for edit in edits}
    other = workspace.with_texts({
        file: applied(workspace.read(file), [e for e in edits if e.file == file]) for file in changed
    })
    if not other.is_sound:
        _, problem = other.problems[0]
        raise UsageError([Problem(f"with that name it would not compile: {problem.what}", problem.fix, problem.where)])
    before = {name: linked.ids() for name, linked in workspace.environments.items()}
    after = {name: linked.ids() for name, linked in other.environments.items()}
    for name, ids in before.items():
        expected = {one._replace(name=new) if _is_meant(one.kind, one.name, target) else one for one in ids}
        if after.get(name) != expected:
            what = f"{name} would have other resources than now"
            raise UsageError([Problem(what, "choose a name that nothing else has")])
    return edits


def _is_meant(kind: str, name: str, target: Renamed) -> bool:
    kinds = {target.what, "SealedSecret"} if target.what == "Secret" else {target.what}
    return bool(target.what) and kind in kinds and name == target.name


def _sources(workspace: Workspace) -> list[str]:
    project = workspace.project
    if project is None:
        return []
    return [
        entry.path
        for folder in ("base", "overlays")
        for entry in project.tree.files(folder)
        if entry.path.endswith(_YAML)
    ]


def _of_resource(path: str, text: str, target: Renamed, new: str) -> Iterator[Edit]:
    for root in parsed(text):
        for pointer, node, beside in scalars(root):
            if node.text != target.name:
                continue
            kind = named_kind(pointer, root) or referred_kind(pointer, beside)
            if kind == target.what and not _is_settings(path):
                yield Edit(path, scalar_span(text, node), new)


def _is_settings(path: str) -> bool:
    return path.endswith("/environment.yaml")


def _of_parameter(path: str, text: str, target: Renamed, new: str) -> Iterator[Edit]:
    """The keys that set it, and each `${{ params.NAME }}`; a new name stands for the last part of a dotted one."""
    last = new.rpartition(".")[2]
    before, dot, _ = target.name.rpartition(".")
    use = re.compile(r"\$\{\{\s*params\.(" + re.escape(target.name) + r")(?=[.\s}])")
    for found in use.finditer(text):
        yield Edit(path, span_of(text, *found.span(1)), f"{before}{dot}{last}")
    if _is_settings(path):
        for root in parsed(text):
            node: Node | None = root
            entry = None
            for part in ("params", *target.name.split(".")):
                entry = node.find(part) if node is not None else None
                node = entry[1] if entry is not None else None
            if entry is not None:
                yield Edit(path, scalar_span(text, entry[0]), last)


def applied(text: str, edits: list[Edit]) -> str:
    """A text with edits that do not overlap."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda one: one.span, reverse=True):
        line = lines[edit.span.line]
        lines[edit.span.line] = line[: edit.span.character] + edit.text + line[edit.span.end_character :]
    return "\n".join(lines)
