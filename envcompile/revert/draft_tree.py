"""Sources as they could be: files changed in memory, and how far what they compile to is from what is wanted."""

from __future__ import annotations

import re
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose.inverse_patch import leaves_between
from envcompile.errors import EnvcError
from envcompile.sources.overlaid import OverlaidTree
from envcompile.units.project import Project
from envcompile.values import same
from envcompile.yamlio import load_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.model import Pointer, Resource, ResourceId
    from envcompile.sources import Tree
    from envcompile.units.project import CompiledEnvironment

Value = dict[str, Any]
Edits = dict[str, bytes | None]
"""The changed files: path -> bytes, None for a file that goes."""

_WHOLE = 50
"""What a resource too many or too few counts, in fields."""
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


class Gap(NamedTuple):
    """A resource that is not what is wanted: as it is, as it shall be (None where it is not there), and the fields."""

    id: ResourceId
    have: Resource | None
    want: Value | None
    fields: tuple[Pointer, ...]


class State(NamedTuple):
    """What a draft compiles to, and where that is not what is wanted."""

    built: CompiledEnvironment
    gaps: tuple[Gap, ...]
    size: int
    """How far away it is; 0 for exactly what is wanted."""
    merges_texts: bool
    """Configuration files inside ConfigMaps are merged key by key."""


class Draft:
    """The sources of one environment on their way to what is wanted.

    Args:
        tree: the sources as they are.
        environment: the environment.
        wanted: what it shall compile to.
    """

    def __init__(self, tree: Tree, environment: str, wanted: Mapping[ResourceId, Value]) -> None:
        self.tree = tree
        self.environment = environment
        self.folder = f"overlays/{environment}"
        self.wanted = wanted
        self.edits: Edits = {}
        self.state = self._compile({})

    def text(self, path: str, edits: Edits | None = None) -> str | None:
        """The text of a file as the draft has it; None when there is none, or it is not in UTF-8."""
        tree = OverlaidTree(self.tree, {**self.edits, **(edits or {})})
        try:
            return tree.read(path).decode() if tree.is_file(path) else None
        except UnicodeDecodeError:
            return None

    def attempt(self, edits: Edits) -> bool:
        """Keep further changes when they lead nearer to what is wanted; tell whether they did."""
        if all(starmap(self._is_kept, edits.items())):
            return False
        together = {**self.edits, **edits}
        try:
            state = self._compile(together)
        except EnvcError:
            return False
        if state.size >= self.state.size:
            return False
        self.edits, self.state = together, state
        return True

    def adopt(self, edits: Edits) -> bool:
        """Keep further changes as long as all compiles, wherever they lead; tell whether it does."""
        together = {**self.edits, **edits}
        try:
            self.state = self._compile(together)
        except EnvcError:
            return False
        self.edits = together
        return True

    def snapshot(self) -> tuple[Edits, State]:
        """Where the draft is, to come back to."""
        return self.edits, self.state

    def go_back(self, snapshot: tuple[Edits, State]) -> None:
        """Come back to where the draft was."""
        self.edits, self.state = snapshot

    def _is_kept(self, path: str, data: bytes | None) -> bool:
        text = self.text(path)
        return text is None if data is None else text is not None and text.encode() == data

    def _compile(self, edits: Edits) -> State:
        project = Project(OverlaidTree(self.tree, edits))
        built = project.compile_with_sources(self.environment)
        gaps = gaps_between({resource.id: resource for resource in built.compiled.resources}, self.wanted)
        mode = built.composed.sources.settings.config_merge or project.settings.config_merge
        return State(built, gaps, sum(len(gap.fields) or _WHOLE for gap in gaps), mode == "merge")


def gaps_between(made: Mapping[ResourceId, Resource], wanted: Mapping[ResourceId, Value]) -> tuple[Gap, ...]:
    """Every resource that is not what is wanted."""
    gaps = []
    for identity in sorted({*made, *wanted}):
        have, want = made.get(identity), wanted.get(identity)
        if have is None or want is None:
            gaps.append(Gap(identity, have, want, ()))
        elif fields := tuple(leaves_between(have.value, want)):
            gaps.append(Gap(identity, have, want, fields))
    return tuple(gaps)


def without_document(text: str, index: int, file: str) -> str | None:
    """The text of a file without one of its documents; None when no other one is left in it.

    Raises:
        EnvcError: the document cannot be told from its neighbours.
    """
    from envcompile.errors import fail
    from envcompile.model import Location

    documents = load_all(text.encode(), file)
    left = [value for position, value in enumerate(documents) if position != index and value is not None]
    if not left:
        return None
    starts = [0, *(match.start() for match in _SEPARATOR.finditer(text))]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        rest = text[:start] + text[end:]
        try:
            found = [value for value in load_all(rest.encode(), file) if value is not None]
        except EnvcError:
            continue
        if len(found) == len(left) and all(map(same, found, left)):
            return rest if start else rest.removeprefix("---\n")
    raise fail("the document cannot be taken out", "take it out by hand", Location(file, 1, 1))
