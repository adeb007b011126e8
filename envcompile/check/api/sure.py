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
from envcompile.check.api.meta import is_named, says_little
from envcompile.check.api.refusal import Place
from envcompile.check.api.validators import ROOTS, VALIDATORS, quiet_answers
from envcompile.check.api.walk import is_plain
from envcompile.kubernetes.completeness import form_of, holds_schema, is_fine, required_of
from envcompile.kubernetes.demands import demands, has_demands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.book import TypeRules
    from envcompile.check.api.quiet import Quiet
    from envcompile.check.api.refusal import Validator
    from envcompile.kubernetes import KubeApi, Node
    from envcompile.model import Pointer

    Asked = list[tuple["_Plan", dict[str, Any], Pointer]]
    """Maps that validators are still to be asked about, and where they stand."""

_DEEP: Final = frozenset({"map", "list"})
_KEPT: Final = 2048
"""Values of a field that are remembered as right."""
_KEPT_MAPS: Final = 128
"""Maps of a field that are remembered as right: other environments have the very same, one right after the other."""
_KEPT_SHAPES: Final = 256
"""Shapes of the maps of a type that are remembered."""
_BY_CONTAINER: Final = full_name("core.v1.VolumeMount")
_CONTAINERS: Final = frozenset({full_name("core.v1.Container"), full_name("core.v1.EphemeralContainer")})
_SPOKEN_OF: Final[Mapping[str, frozenset[str]]] = {
    full_name("core.v1.EnvVar"): frozenset({"valueFrom"}),
    _BY_CONTAINER: frozenset({"mountPropagation", "recursiveReadOnly", "subPathExpr"}),
}
"""The fields without which the validators of a type say nothing: of the types that there are most of."""
_BY_OBJECT: Final = frozenset(
    map(
        full_name,
        (
            "admissionregistration.v1.MutatingAdmissionPolicySpec",
            "admissionregistration.v1.ValidatingAdmissionPolicySpec",
            "batch.v1.JobSpec",
            "core.v1.ISCSIPersistentVolumeSource",
            "core.v1.ISCSIVolumeSource",
            "core.v1.PodAffinityTerm",
            "core.v1.PodSpec",
            "core.v1.TopologySpreadConstraint",
            "resource.v1.Device",
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
        """Tell whether the tables have nothing against the value of a field, nor against anything in it."""
        kind = type(value)
        known = self.right.get(kind)
        if known is not None:
            return (kind is str and self.is_free) or value in known or self.is_simple_right(value)
        if kind is dict and self.plan is not None:
            return id(value) in self.plan.right or self.plan.is_right(value)
        return (kind is dict or kind is list) and self.is_deep_right(value)

    def is_simple_right(self, value: Any) -> bool:
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

    def is_deep_right(self, value: dict[str, Any] | list[Any]) -> bool:
        """Judge a map or list."""
        child, inner = self.child, self.inner
        if self.entry is not None and not self.is_said_right(value):
            return False
        if child.type == "any":
            return not self.holds_schema or self.is_judged_right(value)
        if type(value) is dict:
            return child.type == "map" and isinstance(inner, _Plan) and inner.is_right(value)
        if child.type != "list":
            return False
        if isinstance(inner, _Plan):
            for item in value:
                if type(item) is not dict or not (id(item) in inner.right or inner.is_right(item)):
                    return False
            return True
        if inner is None:
            return child.items is not None
        if inner.child.type in _DEEP:
            return False  # lists of lists are rare
        return all(type(item) in inner.right and inner.is_right(item) for item in value)


class _Shape(NamedTuple):
    """What is to be looked at in maps that have the same fields, with values of the same types."""

    simple: tuple[tuple[str, set[Any], _Step], ...]
    """Texts, numbers and booleans of which not all are right, with those that are known to be."""
    maps: tuple[tuple[str, _Plan], ...]
    others: tuple[tuple[str, _Step], ...]


class _Plan:
    """What is to be looked at in the maps of one type."""

    __slots__ = (
        "_book",
        "_filled",
        "_form",
        "_is_free",
        "_members",
        "_needed",
        "_node",
        "_shapes",
        "_steps",
        "_top",
        "is_container",
        "is_walked",
        "loud",
        "name",
        "right",
        "silent",
        "spoken_of",
        "told",
        "waits",
    )  # fmt: skip

    def __init__(
        self, node: Node, form: str, book: Mapping[str, TypeRules], *, walked: bool, top: bool = False
    ) -> None:
        self._node = node
        self._form = form
        self._book = book
        self._top = top
        self._steps: dict[str, _Step | None] = {}
        self._shapes: dict[tuple[Any, ...], _Shape] = {}
        self.is_walked = walked
        """Whether validators have a say in it, or in anything below."""
        entry = book.get(node.name) if walked else None
        self._is_free = not node.fields
        """Whether it has keys without end, all alike."""
        needed = set[str]() if self._is_free else {*required_of(node, top=top), *(key for key, _ in always(node))}
        self._needed = frozenset(needed)
        self._filled = tuple(entry.wanted) if entry is not None else ()
        self._members = entry.members if entry is not None else ()
        self.told: tuple[Validator, ...] | None = None if walked else ()
        self.waits = node.name in _BY_OBJECT or node.name == _BY_CONTAINER
        """Whether its validators look at more than a map of this type."""
        self.is_container = node.name in _CONTAINERS
        self.spoken_of = _SPOKEN_OF.get(node.name)
        self.name = node.name
        self.right: dict[int, dict[str, Any]] = {}
        """Maps that the tables have nothing against; known by their identity, and held, so that it stays theirs."""
        self.loud: dict[str, _Plan | None] = {}
        """What `below` said of fields."""
        self.silent: dict[int, dict[str, Any]] = {}
        """Maps that validators have nothing against either, whatever is around them."""

    @property
    def validators(self) -> tuple[Validator, ...]:
        """What looks at more than one field, read when it is asked for; then it is in `told`."""
        if self.told is None:
            self.told = VALIDATORS.get(self._node.name, ())
        return self.told

    def is_right(self, value: dict[str, Any]) -> bool:
        """Tell whether the tables have nothing against a map, nor against anything in it."""
        if self._is_free:
            if not self._is_free_right(value):
                return False
        else:
            key = (*value, *map(type, value.values()))
            shape = self._shapes.get(key) or self._shape(value, key)
            if shape is None:
                return False
            simple, maps, others = shape
            for name, known, step in simple:
                item = value[name]
                if item not in known and not step.is_simple_right(item):
                    return False
            for name, plan in maps:
                inner = value[name]
                if id(inner) not in plan.right and not plan.is_right(inner):
                    return False
            for name, step in others:
                if not step.is_deep_right(value[name]):
                    return False
        for name in self._filled:
            inner = value.get(name)
            if not inner and inner is not False:
                return False
        kept = self.right  # as `_keep` does: a call would cost a tenth of all
        if len(kept) >= _KEPT_MAPS:
            kept.clear()
        kept[id(value)] = value
        return True

    def _is_free_right(self, value: dict[str, Any]) -> bool:
        """Judge a map that has keys without end, all alike."""
        step = next(map(self.step, value), None)
        if step is None:
            return not value
        if step.is_free and {*map(type, value.values())} == {str}:
            return True
        return all(map(step.is_right, value.values()))

    def _shape(self, value: dict[str, Any], key: tuple[Any, ...]) -> _Shape | None:
        """Take in a shape that was not met before; None where a field is unknown, missing or of no type of JSON."""
        if not self._needed <= value.keys():
            return None
        for how, names in self._members:
            count = len([name for name in names if name in value])
            if (count > 1 and how != "some") or (not count and how != "most-one"):
                return None
        simple: list[tuple[str, set[Any], _Step]] = []
        maps: list[tuple[str, _Plan]] = []
        others: list[tuple[str, _Step]] = []
        for name, item in value.items():
            step, kind = self.step(name), type(item)
            if step is None:
                return None
            if kind in step.right:
                if not (kind is str and step.is_free):
                    simple.append((name, step.right[kind], step))
            elif kind is dict and step.plan is not None:
                maps.append((name, step.plan))
            elif kind is dict or kind is list:
                others.append((name, step))
            else:
                return None
        shape = _Shape(tuple(simple), tuple(maps), tuple(others))
        if len(self._shapes) < _KEPT_SHAPES:
            self._shapes[key] = shape
        return shape

    def below(self, key: str) -> _Plan | None:
        """What validators may be asked about in a field; None where they have nothing to say."""
        step = self.step(key)
        inner = step.inner if step is not None else None
        found = inner if isinstance(inner, _Plan) and inner.is_walked and not inner.is_mute else None
        if not self._is_free:
            self.loud[key] = found
        return found

    @property
    def is_mute(self) -> bool:
        """Whether no validator looks at a map of this type, nor at anything in it."""
        if self.validators or self.waits or self.is_container:
            return False
        inside = [self._node.child("")] if self._is_free else [self._node.child(key) for key in self._node.fields]
        return all(child is None or child.type not in _DEEP or is_plain(child) for child in inside)

    def step(self, key: str) -> _Step | None:
        """What is to be looked at in a field; None for one that nothing is known of."""
        known = "" if self._is_free else key
        if known in self._steps:
            return self._steps[known]
        child = self._node.child(key)
        step = None
        if child is not None:
            walked = self.is_walked and not (self._top and key in {"metadata", "apiVersion", "kind"})
            step = _Step(key, self._node, child, self._form, self._book, walked=walked, top=self._top)
        self._steps[known] = step
        return step


class _Walk(NamedTuple):
    """What stays the same on the way of the validators through one object."""

    top: _Top
    root: dict[str, Any]
    asked: Asked
    quiet: Mapping[str, Quiet]
    """Full name of a usual type -> what tells of most of its maps that validators say nothing."""

    def is_silent(self, validators: tuple[Validator, ...], value: dict[str, Any], pointer: Pointer) -> bool:
        """Tell whether validators say nothing about a map."""
        group, kind, version, release, is_namespaced = self.top.place
        place = Place(group, kind, version, self.root, pointer, release, is_namespaced)
        for validator in validators:
            for _ in validator(value, place):
                return False
        return True


class _Top(NamedTuple):
    """What all objects of an API version and kind have in common."""

    plan: _Plan
    group: str
    version: str
    kind: str
    release: int
    is_namespaced: bool
    names: set[str]
    """Some names that are right."""
    place: tuple[str, str, str, int, bool]
    """What validators are told of all of them."""
    is_demanding: bool
    """Whether `demands` has anything to say of them."""

    def is_named(self, metadata: dict[str, Any]) -> bool:
        """Tell whether the name of an object has the form that names of its kind have."""
        name = metadata["name"]
        if type(name) is not str or "generateName" in metadata:
            return is_named(self.group, self.kind, metadata, self.release)
        if name not in self.names:
            if not is_named(self.group, self.kind, metadata, self.release):
                return False
            if len(self.names) < _KEPT:
                self.names.add(name)
        return True


@lru_cache(maxsize=8)
def _tops(_: KubeApi) -> dict[tuple[str, str], _Top | None]:
    """API version and kind -> what is known of its objects."""
    return {}


def surely_right(api: KubeApi, value: Any, *, by_tables: bool = False, is_known: bool = False) -> bool:
    """Tell whether nothing is refused of an object of a built-in kind; False when that takes a closer look.

    Args:
        api: the API.
        value: the object.
        by_tables: ask the tables of types and fields alone, and no validator that looks at several fields.
        is_known: the tables were asked before, and have nothing against it.
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
    if not is_known and not top.plan.is_right(value):
        return False
    if by_tables:
        return top.is_named(metadata)
    walk = _Walk(top, value, [], quiet_answers())
    return (
        _is_silent(value, top.plan, (), walk)
        and not (top.is_demanding and any(demands(top.group, kind, value)))
        and ((is_known and top.is_namespaced and says_little(metadata)) or walk.is_silent(ROOTS, value, ()))
        and all(walk.is_silent(plan.validators, around, pointer) for plan, around, pointer in walk.asked)
    )


def _top(api: KubeApi, api_version: str, kind: str) -> _Top | None:
    group, _, version = api_version.rpartition("/")
    if not api.is_built_in(group, kind) or version not in api.versions(group, kind):
        return None
    node = api.node(group, version, kind)
    if node is None:
        return None
    release = int(api.version.partition(".")[2])
    plan = _Plan(node, "", read_book(release), walked=True, top=True)
    is_namespaced = api.is_namespaced(group, kind) is not False
    about = (group, kind, version, release, is_namespaced)
    return _Top(plan, group, version, kind, release, is_namespaced, set(), about, has_demands(group, kind))


def _is_silent(value: dict[str, Any], plan: _Plan, pointer: Pointer, walk: _Walk) -> bool:
    """Tell whether validators have nothing against a map that is right by the tables, nor against those in it."""
    asked = walk.asked
    waiting = len(asked)
    loud = plan.loud
    for key, inner in value.items():
        kind = type(inner)
        if kind is not dict and kind is not list:
            continue
        below = loud[key] if key in loud else plan.below(key)
        if below is None:
            continue
        if kind is dict:
            if id(inner) not in below.silent and not _is_silent(inner, below, (*pointer, key), walk):
                return False
            continue
        spoken_of = below.spoken_of
        for number, item in enumerate(inner):
            if spoken_of is not None and spoken_of.isdisjoint(item):
                continue  # no map is in any other field of these
            if id(item) not in below.silent and not _is_silent(item, below, (*pointer, key, number), walk):
                return False
    if plan.is_container and len(asked) > waiting:
        for mount, around, at in asked[waiting:]:
            if not walk.is_silent(mount.validators, around, at):
                return False
        del asked[waiting:]
    quiet = walk.quiet.get(plan.name)
    if quiet is not None and quiet(value, pointer):
        pass
    elif plan.waits or (plan.is_container and "resizePolicy" in value):
        asked.append((plan, value, pointer))
    else:
        validators = plan.validators if plan.told is None else plan.told
        if validators and not walk.is_silent(validators, value, pointer):
            return False
    if len(asked) == waiting:
        known = plan.silent
        if len(known) >= _KEPT_MAPS:
            known.clear()
        known[id(value)] = value
    return True
