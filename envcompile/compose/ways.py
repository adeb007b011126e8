"""The way from a resource's root to a field: walked in the result, each step's versions and each patch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.kubernetes.fieldpath import Positions, item_part, joined, look_up, step_of
from envcompile.values import ABSENT, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.kubernetes import Node
    from envcompile.kubernetes.fieldpath import FieldPath, Part
    from envcompile.model import Pointer, Resource, Step

_REPLACED = "replaced as a whole: neither the API, a CRD nor `mergeKeys` of envc.yaml name keys for this list"


class ListMerge(NamedTuple):
    """How a list on the way to the field was put together."""

    field: str
    how: str


class Track(NamedTuple):
    """What one step has at the end of a way."""

    step: Step
    before: Any
    """The value before the step; ABSENT where there is none."""
    after: Any
    stated: Any
    """What the step's patch says there, or at the end of `pointer` where it does not go so far."""
    pointer: Pointer
    """How far the patch goes along the way."""
    is_stated: bool
    """Whether the patch goes all the way."""


class Way(NamedTuple):
    """A way, and what is at its end in the result, in the schema and in every step."""

    path: FieldPath
    field: str
    """The path in words."""
    value: Any
    """What the result has there; ABSENT where it has nothing."""
    node: Node | None
    lists: tuple[ListMerge, ...]
    """The lists of the result on the way."""
    tracks: tuple[Track, ...]
    """Those of the steps that may have had a say: of an operation or a setting that left all here as it was, none."""
    positions: Positions
    gone: dict[tuple[Part, bool], Way]
    """The ways from here that were gone already, by part and whether that is one of a list."""

    @classmethod
    def of(cls, resource: Resource, node: Node | None) -> Way:
        """The way to the resource itself.

        Args:
            resource: the resource.
            node: the schema of its kind.
        """
        tracks: list[Track] = []
        for step in resource.steps:
            before, after = (ABSENT if value is None else value for value in (step.before, step.after))
            tracks.append(Track(step, before, after, patch_root(step), (), step.document is not None))
        return cls((), "", resource.value, node, (), tuple(tracks), Positions(), {})

    def at(self, step: str | int) -> Way:
        """The way one step further on, in the result."""
        return self.into(part_of(step, self.value, self.node), self.value, self.value[step])

    def into(self, part: Part, container: Any, value: Any = ABSENT) -> Way:
        """The way one part further on.

        Args:
            part: the part.
            container: the value that it is a part of, in whatever version has it.
            value: what the result has there, where that is known: two items of a list may have one name.
        """
        lists, node = self.lists, self.node
        if isinstance(self.value, list):
            lists = (*lists, ListMerge(self.field, _REPLACED if node is None else node.rule.reason))
        if node is not None:
            node = node.items if isinstance(container, list) else node.child(str(part))
        tracks: list[Track] = []
        last: Any = None
        left: Any = ABSENT
        for track in self.tracks:
            # A step begins with what the one before it left, so most values are looked up once.
            before = left if track.before is last else self._value(part, track.before)
            left = before if track.after is track.before else self._value(part, track.after)
            last = track.after
            if before is not left or _may_state(track.step):
                tracks.append(_along(track, part, before, left))
        if value is ABSENT:
            value = self._value(part, self.value)
        return Way((*self.path, part), joined(self.field, part), value, node, lists, tuple(tracks), self.positions, {})

    def leaves(self) -> Iterator[Way]:
        """The ways to every leaf of the result below this one."""
        if self.value and isinstance(self.value, (dict, list)):
            for step in range(len(self.value)) if isinstance(self.value, list) else self.value:
                yield from self.at(step).leaves()
        else:
            yield self

    def missing(self, before: Any) -> Iterator[Way]:
        """The ways to every leaf below an earlier value of this field that the result has nothing at."""
        if before and before is not self.value and isinstance(before, (dict, list)):
            for step in range(len(before)) if isinstance(before, list) else before:
                part, inner = part_of(step, before, self.node), before[step]
                held = self._value(part, self.value)
                if held is ABSENT or (isinstance(inner, (dict, list)) and not same(inner, held)):
                    yield from self.further(part, before).missing(inner)
        elif self.value is ABSENT:
            yield self

    def further(self, part: Part, container: Any) -> Way:
        """As `into`, made once: all steps are gone through, and most of them have the same fields."""
        key = part, isinstance(container, list)
        found = self.gone.get(key)
        if found is None:
            found = self.gone[key] = self.into(part, container)
        return found

    def _value(self, part: Part, value: Any) -> Any:
        step = self.positions.step_of(part, value)
        return ABSENT if step is None else value[step]

    def merges(self) -> Iterator[ListMerge]:
        """How each list on the way is merged, the field itself among them."""
        yield from self.lists
        if isinstance(self.value, list) and self.node is not None:
            yield ListMerge(self.field, self.node.rule.reason)


def patch_root(step: Step) -> Any:
    """The patch of a step; None where it has none."""
    return look_up(step.document.value, step.within) if step.document is not None else None


def part_of(step: str | int, container: Any, node: Node | None) -> Part:
    """What a key or position is called on a way."""
    return item_part(container, int(step), node) if isinstance(container, list) else step


def _may_state(step: Step) -> bool:
    """Tell whether a step says something of a field that it leaves as it was, as a patch does that writes it down."""
    return step.document is not None and step.role != "json6902"


def _along(track: Track, part: Part, before: Any, after: Any) -> Track:
    """A step's track one part further on."""
    step = step_of(part, track.stated) if track.is_stated else None
    if step is None:
        return Track(track.step, before, after, track.stated, track.pointer, is_stated=False)
    return Track(track.step, before, after, track.stated[step], (*track.pointer, step), is_stated=True)
