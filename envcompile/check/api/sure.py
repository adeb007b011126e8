"""The quick way through the tables: whether surely nothing is refused of an object, in one walk.

Nearly every object is right. So types, required fields, texts and numbers are asked about together here, by a plan a
type that is made once, and what was right before in a field is not looked at again. Wherever anything is unusual the
answer is no, and `shortcomings` and `refusals` look at the object in full: they alone say what is wrong.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.book import full_name, read_book
from envcompile.check.api.decoded import always
from envcompile.check.api.meta import is_named
from envcompile.check.api.refusal import Place
from envcompile.check.api.validators import ROOTS, VALIDATORS
from envcompile.check.api.walk import is_plain
from envcompile.kubernetes.completeness import form_of, holds_schema, is_fine, required_of
from envcompile.kubernetes.demands import demands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.book import TypeRules
    from envcompile.check.api.refusal import Validator
    from envcompile.kubernetes import KubeApi, Node
    from envcompile.model import Pointer

    Asked = list[tuple["_Plan", dict[str, Any], Pointer]]
    """Maps that validators are still to be asked about, and where they stand."""

_DEEP: Final = frozenset({"map", "list"})
_KEPT: Final = 2048
"""Values of a field that are remembered as right."""
_KEPT_MAPS: Final = 256
"""Maps of a field that are remembered as right: other environments have the very same."""
_FEW: Final = 3
"""Fields of a map that are looked at as fast as it is found again."""
_BY_CONTAINER: Final = full_name("core.v1.VolumeMount")
_CONTAINERS: Final = frozenset({full_name("core.v1.Container"), full_name("core.v1.EphemeralContainer")})
_BY_OBJECT: Final = frozenset(
    map(
        full_name,
        (
            "admissionregistration.v1.MutatingAdmissionPolicySpec",
            "admissionregistration.v1.ValidatingAdmissionPolicySpec",
            "batch.v1.JobSpec",
            "core.v1.ISCSIPersistentVolumeSource",
            "core.v1.ISCSIVolumeSource",
            "core.v1.PodSpec",
        ),
    )
)
"""Types whose validators look at the object around them; all others at their own map, and at the way to it."""


class _Step:
    """What is to be looked at in the values of one field, or of one list."""

    __slots__ = (
        "_form",
        "_is_text",
        "_key",
        "_node",
        "child",
        "entry",
        "holds_schema",
        "inner",
        "is_free",
        "plan",
        "right",
    )

    def __init__(
        self, key: str, node: Node, child: Node, form: str, book: Mapping[str, TypeRules], *, walked: bool, top: bool
    ) -> None:
        self._key = key
        self._node = node
        self._form = form
        self.child = child
        entry = book.get(node.name) if walked else None
        self.entry = entry.fields.get(key) if entry is not None else None
        own = form_of(node, key) if node.fields else form
        if self.entry is not None and not self.entry.words:
            skip = self.entry.skip
            self.entry = None
        else:
            skip = self.entry is not None and self.entry.skip
        goes_on = walked and not skip and (top or not is_plain(child))
        self.holds_schema = holds_schema(key, node, child)
        self.is_free = child.type == "string" and not own and self.entry is None
        """Any text will do."""
        self._is_text = child.type == "string" and not own
        self.right: dict[type, set[Any]] = {str: set(), int: set(), bool: set()}
        self.inner: _Plan | _Step | None = None
        if child.type == "map":
            self.inner = _Plan(child, own, book, walked=goes_on)
        self.plan = self.inner if self.entry is None and isinstance(self.inner, _Plan) and child.type == "map" else None
        """That of its map, where nothing else is to be looked at."""
        if child.type == "list" and child.items is not None:
            items = child.items
            if items.type == "map":
                self.inner = _Plan(items, own, book, walked=goes_on)
            elif items.type != "any":
                self.inner = _Step("", child, items, own, book, walked=False, top=False)

    def is_said_right(self, value: Any) -> bool:
        """Tell whether the tables have nothing against the value of a field; `walk.words` says what they have."""
        for word in self.entry.words if self.entry is not None else ():
            form, argument = word.form, word.argument
            if not word.scope:
                if (value != "" or word.empty) and form(value, argument):
                    return False
            elif word.scope == "*":
                if isinstance(value, list) and any(form(item, argument) for item in value if item != "" or word.empty):
                    return False
            elif isinstance(value, dict):
                for item in value if word.scope == "key" else value.values():
                    if form(item, argument):
                        return False
        return True

    def is_judged_right(self, value: Any) -> bool:
        """Tell whether types and fields are right, of a value that no plan is made of."""
        return is_fine(self._key, value, self._node, self._form, self.child)

    def is_right(self, value: Any) -> bool:
        """Judge a text, number or boolean that was not met before."""
        if not (self._is_text and type(value) is str) and not self.is_judged_right(value):
            return False
        if type(value) is str and self.child.type == "quantity" and value != value.strip(" "):
            return False
        if not self.is_said_right(value):
            return False
        known = self.right[type(value)]
        if len(known) < _KEPT:
            known.add(value)
        return True


class _Plan:
    """What is to be looked at in the maps of one type."""

    __slots__ = (
        "_book",
        "_form",
        "_node",
        "_top",
        "_validators",
        "_walked",
        "filled",
        "is_container",
        "members",
        "needed",
        "right",
        "steps",
        "waits",
    )  # fmt: skip

    def __init__(
        self, node: Node, form: str, book: Mapping[str, TypeRules], *, walked: bool, top: bool = False
    ) -> None:
        self._node = node
        self._form = form
        self._book = book
        self._walked = walked
        self._top = top
        self.steps: dict[str, _Step | None] = {}
        entry = book.get(node.name) if walked else None
        needed = {*required_of(node, top=top), *(key for key, _ in always(node))} if node.fields else set[str]()
        self.needed = tuple(needed)
        """Fields that must not be missing."""
        self.filled = tuple(entry.wanted) if entry is not None else ()
        """Fields that must say something."""
        self.members = entry.members if entry is not None else ()
        self._validators: tuple[Validator, ...] | None = None if walked else ()
        self.waits = node.name in _BY_OBJECT or node.name == _BY_CONTAINER
        """Whether its validators look at more than a map of this type."""
        self.is_container = node.name in _CONTAINERS
        self.right: tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]] = ({}, {})
        """Maps that are right, by the tables alone and by validators, too, whatever is around them.

        They are known by their identity, and held, so that it stays theirs.
        """

    @property
    def validators(self) -> tuple[Validator, ...]:
        """What looks at more than one field, read when it is asked for."""
        if self._validators is None:
            self._validators = VALIDATORS.get(self._node.name, ())
        return self._validators

    def step(self, key: str) -> _Step | None:
        """What is to be looked at in a field; None for one that nothing is known of."""
        node = self._node
        known = key if node.fields else ""  # a free map has keys without end
        if known in self.steps:
            return self.steps[known]
        child = node.child(key)
        step = None
        if child is not None:
            walked = self._walked and not (self._top and key in {"metadata", "apiVersion", "kind"})
            step = _Step(known or key, node, child, self._form, self._book, walked=walked, top=self._top)
        self.steps[known] = step
        return step


class _Walk(NamedTuple):
    """What stays the same on the way through one object."""

    group: str
    kind: str
    version: str
    root: dict[str, Any]
    release: int
    is_namespaced: bool
    asked: Asked
    is_full: bool
    """Whether validators are asked, too, not the tables alone."""

    def is_silent(self, validators: tuple[Validator, ...], value: dict[str, Any], pointer: Pointer) -> bool:
        """Tell whether validators say nothing about a map."""
        place = Place(self.group, self.kind, self.version, self.root, pointer, self.release, self.is_namespaced)
        for validator in validators:
            for _ in validator(value, place):
                return False
        return True


@lru_cache(maxsize=8)
def _tops(_: KubeApi) -> dict[tuple[str, str], tuple[_Plan, bool] | None]:
    """API version and kind -> the plan of its objects, and whether they live in a namespace."""
    return {}


def surely_right(api: KubeApi, value: Any, *, by_tables: bool = False) -> bool:
    """Tell whether nothing is refused of an object of a built-in kind; False when that takes a closer look.

    Args:
        api: the API.
        value: the object.
        by_tables: ask the tables of types and fields alone, and no validator that looks at several fields.
    """
    if not isinstance(value, dict) or "status" in value:
        return False
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if type(api_version) is not str or type(kind) is not str:
        return False
    key = (api_version, kind)
    tops = _tops(api)
    if key not in tops:
        tops[key] = _top(api, *key)
    top = tops[key]
    metadata = value.get("metadata")
    if top is None or not isinstance(metadata, dict) or not metadata.get("name"):
        return False
    group, _, version = api_version.rpartition("/")
    walk = _Walk(group, kind, version, value, int(api.version.partition(".")[2]), top[1], [], not by_tables)
    if by_tables:
        return _map(value, top[0], (), walk) and is_named(group, kind, metadata, walk.release)
    return (
        _map(value, top[0], (), walk)
        and not any(demands(group, kind, value))
        and walk.is_silent(ROOTS, value, ())
        and all(walk.is_silent(plan.validators, around, pointer) for plan, around, pointer in walk.asked)
    )


def _top(api: KubeApi, api_version: str, kind: str) -> tuple[_Plan, bool] | None:
    group, _, version = api_version.rpartition("/")
    if not api.is_built_in(group, kind) or version not in api.versions(group, kind):
        return None
    node = api.node(group, version, kind)
    if node is None:
        return None
    book = read_book(int(api.version.partition(".")[2]))
    return _Plan(node, "", book, walked=True, top=True), api.is_namespaced(group, kind) is not False


def _map(value: dict[str, Any], plan: _Plan, pointer: Pointer, walk: _Walk) -> bool:
    waiting = len(walk.asked)
    full = walk.is_full
    steps = plan.steps
    shared = steps.get("")
    for key, inner in value.items():
        step = steps.get(key) or shared or plan.step(key)
        if step is None:
            return False
        kind = type(inner)
        if kind is str:
            if not (step.is_free or inner in step.right[str] or step.is_right(inner)):
                return False
        elif kind is dict and step.plan is not None:
            if id(inner) not in step.plan.right[full] and not _map(inner, step.plan, (*pointer, key), walk):
                return False
        elif kind is dict or kind is list:
            if not _inside(inner, step, (*pointer, key), walk):
                return False
        elif kind is int or kind is bool:
            if not (inner in step.right[kind] or step.is_right(inner)):
                return False
        else:
            return False
    for key in plan.needed:
        if value.get(key) is None:
            return False
    for key in plan.filled:
        inner = value.get(key)
        if not inner and inner is not False:
            return False
    for how, names in plan.members:
        count = len([name for name in names if value.get(name) is not None])
        if (count > 1 and how != "some") or (not count and how != "most-one"):
            return False
    asked = walk.asked
    if not full:
        if len(value) >= _FEW:
            _keep(plan.right[0], value)
        return True
    if plan.is_container and len(asked) > waiting:
        for mount, around, at in asked[waiting:]:
            if not walk.is_silent(mount.validators, around, at):
                return False
        del asked[waiting:]
    if plan.waits or (plan.is_container and "resizePolicy" in value):
        asked.append((plan, value, pointer))
    elif plan.validators and not walk.is_silent(plan.validators, value, pointer):
        return False
    if len(asked) == waiting:
        _keep(plan.right[1], value)
    return True


def _keep(right: dict[int, dict[str, Any]], value: dict[str, Any]) -> None:
    if len(right) >= _KEPT_MAPS:
        right.clear()
    right[id(value)] = value


def _inside(value: Any, step: _Step, pointer: Pointer, walk: _Walk) -> bool:
    child, inner = step.child, step.inner
    if step.entry is not None and not step.is_said_right(value):
        return False
    if child.type == "any":
        return not step.holds_schema or step.is_judged_right(value)
    if type(value) is dict:
        return child.type == "map" and isinstance(inner, _Plan) and _map(value, inner, pointer, walk)
    if child.type != "list":
        return False
    if isinstance(inner, _Plan):
        for at, item in enumerate(value):
            if type(item) is not dict:
                return False
            if id(item) not in inner.right[walk.is_full] and not _map(item, inner, (*pointer, at), walk):
                return False
        return True
    if inner is None:
        return child.items is not None
    if inner.child.type in _DEEP:
        return False  # lists of lists are rare
    for item in value:
        kind = type(item)
        if kind not in inner.right or not (item in inner.right[kind] or inner.is_right(item)):
            return False
    return True
