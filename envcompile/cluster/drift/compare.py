"""The comparison of one compiled object with the live one: what differs, and who wrote it.

By reading alone, a compiled value has to be in the live object, and a value that only the live object has is a
difference where somebody wrote it who is neither the one that applies nor a part of the cluster. With a probe (what the
server answers to a dry-run create under another name) every value has to be there on both sides.

Sources: kubernetes.io, "Server-Side Apply" (who owns a field, and how lists and maps are merged); API conventions
("Optional vs. Required": what is empty is as good as not there).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from envcompile.cluster.drift.appliers import applier_of, is_trusted
from envcompile.cluster.drift.injections import asks_for_certificates, is_injected
from envcompile.cluster.drift.values import NO_BUNDLE, agree, compiled_form, is_nothing, live_form, without_marks
from envcompile.kubernetes.cleaner import last_applied
from envcompile.kubernetes.clustermade import map_at
from envcompile.kubernetes.fieldpath import Item, format_field
from envcompile.kubernetes.managedfields import (
    below_field,
    below_item,
    below_value,
    is_set,
    keys_of,
    owners_of,
    part_of,
)
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.cluster.drift.appliers import Applier
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.kubernetes.managedfields import Owned, Owners, Writer
    from envcompile.kubernetes.schema import ListRule, Node

    Value = dict[str, Any]
    Sides = tuple[Any, Any, Any, Any]

Kind = Literal["changed", "missing", "extra", "order"]
_IDENTITY: Final = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "generateName"))
_IN_ORDER: Final = frozenset({"io.k8s.api.core.v1.EnvVar"})
"""Items of joined lists whose order means something: a variable may use those before it."""


class Difference(NamedTuple):
    """One field in which a live object differs from the compiled one."""

    path: FieldPath
    kind: Kind
    """`missing`: only the compiled object has it; `extra`: only the live one; `order`: items changed places."""
    want: Any
    """The compiled value, ABSENT for what is extra."""
    have: Any
    """The live value, ABSENT for what is missing; of what is extra, the part that was written."""
    writer: Writer | None
    """Who wrote the live value last; None where the cluster names nobody."""

    @property
    def field(self) -> str:
        """The field as people write it."""
        return format_field(self.path)


class Rules(NamedTuple):
    """What is no difference for one object, beside what the schema and the writers say."""

    appliers: tuple[str, ...] = ()
    """Managers that apply the repository, beside the known ones."""
    trusted: tuple[str, ...] = ()
    """Managers that may write what they like; `*` stands for other letters."""
    is_scaled: bool = False
    """An autoscaler decides on `spec.replicas`."""


def compare(
    desired: Value,
    live: Value,
    node: Node | None,
    *,
    key: bytes,
    filled: Value | None = None,
    probe: Value | None = None,
    rules: Rules = Rules(),  # ruff: ignore[function-call-in-default-argument] - a frozen tuple
) -> tuple[Difference, ...]:
    """The differences of a live object from the compiled one.

    Args:
        desired: the compiled object.
        live: the server's answer, with its `managedFields`.
        node: the schema of the kind, where one is known.
        key: keys the digests that Secrets' values are compared by.
        filled: the compiled object with the server's defaults, as far as they are known; exceptions stand in it for
            what only the server knows.
        probe: the server's answer to a dry-run create of the compiled object under another name; without it the
            comparison is by reading alone.
        rules: what is no difference.
    """
    owners = owners_of(live)
    applier = applier_of(owners, rules.appliers)
    is_marked = applier is not None and applier.marks
    want, have = compiled_form(desired, key), live_form(live, desired, key, is_marked=is_marked)
    applied = compiled_form(without_marks(dict(last), desired), key) if (last := last_applied(live)) else ABSENT
    walk = _Walk(rules, applier, is_strict=probe is not None or not owners)
    walk.asks = asks_for_certificates(desired)
    if probe is not None:
        asked, want = want, live_form(probe, desired, key)
        sides: Sides = (want, have, asked, applied)
    else:
        sides = (want, have, compiled_form(filled, key) if filled is not None else want, applied)
    walk.is_probed = probe is not None
    return tuple(walk.run(sides, node, owners))


class _Walk:
    """The walk beside four values of one place: wanted, live, filled in (with a probe: as compiled), last applied."""

    def __init__(self, rules: Rules, applier: Applier | None, *, is_strict: bool) -> None:
        self._rules = rules
        self._applier = applier
        self._is_strict = is_strict
        self.is_probed = False
        self.asks = False
        """Somebody is asked to put certificates in."""

    def run(self, sides: Sides, node: Node | None, owners: Owners) -> Iterator[Difference]:
        """All differences of an object."""
        for found in self.value(sides, node, owners, ()):
            if found.path in _IDENTITY or (self._rules.is_scaled and found.path == ("spec", "replicas")):
                continue
            yield found

    # ---- who wrote it

    def _is_foreign(self, writer: Writer) -> bool:
        return not (writer.is_cluster or self._is_own(writer) or is_trusted(writer, self._rules.trusted))

    def _is_own(self, writer: Writer) -> bool:
        return self._applier is not None and self._applier.is_it(writer)

    def _has_applied(self, owned: Owned) -> bool:
        """Whether the one who applies was given a value: server-side it owns that, and nothing that others put in."""
        return owned.is_named and owned.writer.operation == "Apply" and self._is_own(owned.writer)

    def _writer(self, owners: Owners) -> Writer | None:
        """The one who wrote last, strangers before the one who applies."""
        writers = [owned.writer for owned in owners if owned.writer.subresource != "status"]
        others = [writer for writer in writers if not self._is_own(writer)]
        found = others or writers
        return found[-1] if found else None

    def _is_excused(self, owners: Owners) -> bool:
        """Whether nobody but trusted managers wrote a value, and with a probe nobody but parts of the cluster."""
        writers = [owned.writer for owned in owners]
        if any(is_trusted(writer, self._rules.trusted) for writer in writers):
            return not any(self._is_foreign(writer) for writer in writers)
        return self.is_probed and bool(writers) and all(writer.is_cluster for writer in writers)

    # ---- values on both sides

    def value(self, sides: Sides, node: Node | None, owners: Owners, path: FieldPath) -> Iterator[Difference]:
        """The differences at one place and below it."""
        want, have, filled, _ = sides
        if isinstance(filled, Exception):
            return
        if have is ABSENT:
            yield from self._missing(sides, node, path)
        elif want is ABSENT:
            yield from self._extra(sides, node, owners, path)
        elif isinstance(want, dict) and isinstance(have, dict):
            for name in [*want, *(name for name in have if name not in want)]:
                below = tuple(_at(side, name) for side in sides)
                child = node.child(str(name)) if node is not None else None
                if below[0] == "" and below[1] is ABSENT and _is_free_map(want, node):
                    # A name of a free map is there or not, whatever its text: an empty file, a label without a value.
                    yield Difference((*path, str(name)), "missing", "", ABSENT, None)
                    continue
                yield from self.value(below, child, below_field(owners, str(name)), (*path, str(name)))
        elif isinstance(want, list) and isinstance(have, list):
            yield from self._lists(sides, node, owners, path)
        elif (
            not self._agree(sides, node) and not self._is_injected(path, sides, owners) and not self._is_excused(owners)
        ):
            yield Difference(path, "changed", want, have, self._writer(owners))

    def _agree(self, sides: Sides, node: Node | None) -> bool:
        want, have, filled, _ = sides
        if is_nothing(want) and is_nothing(have):
            return True
        # The server writes some values in a form of its own, which is what has been filled in.
        return agree(node, want, have) or (not self.is_probed and filled is not want and agree(node, filled, have))

    def _is_injected(self, path: FieldPath, sides: Sides, owners: Owners) -> bool:
        want, have, _, _ = sides
        if path[-1:] == ("caBundle",) and (want is ABSENT or want in NO_BUNDLE):
            return True
        own = [owned.writer for owned in owners if self._is_own(owned.writer)]
        return self.asks and is_injected(have, owners, own)

    def _missing(self, sides: Sides, node: Node | None, path: FieldPath) -> Iterator[Difference]:
        want, _, filled, _ = sides
        is_item = bool(path) and not isinstance(path[-1], str)
        # An empty map of named fields says something where the server keeps it: an empty selector is everything.
        is_said = want == {} and node is not None and bool(node.fields) and (self.is_probed or filled == {})
        if is_nothing(want) and not is_item and not is_said:
            return
        # What the server leaves out by itself, such as `hostNetwork: false`.
        if filled is ABSENT and not self.is_probed and not is_item:
            return
        yield Difference(path, "missing", want, ABSENT, None)

    # ---- what only the live object has

    def _extra(self, sides: Sides, node: Node | None, owners: Owners, path: FieldPath) -> Iterator[Difference]:
        _, have, filled, applied = sides
        if self._is_injected(path, sides, owners) or self._is_excused(owners):
            return
        if not self.is_probed and filled is not ABSENT and self._is_default(filled, have, node):
            return
        foreign = [owned for owned in owners if self._is_foreign(owned.writer) or self._has_applied(owned)]
        whole = next((owned for owned in reversed(foreign) if owned.is_whole), None)
        if whole is not None and not (whole.tree and _is_free_map(have, node)):
            inner = {step: tree for step, tree in whole.tree.items() if step != "."}
            part = dict(part_of(have, inner)) if inner and isinstance(have, dict) else have
            yield Difference(path, "extra", ABSENT, part, whole.writer)
        elif applied is not ABSENT and not is_nothing(applied):
            part = applied if isinstance(have, dict | list) else have
            yield Difference(path, "extra", ABSENT, part, self._writer(owners))
        elif is_nothing(have):
            return
        elif self._is_strict and not (isinstance(have, dict) and owners):
            yield Difference(path, "extra", ABSENT, have, self._writer(owners))
        elif isinstance(have, dict):
            for name, item in have.items():
                child = node.child(str(name)) if node is not None else None
                below = (ABSENT, item, _at(filled, name), ABSENT)
                yield from self._extra(below, child, below_field(owners, str(name)), (*path, str(name)))
        elif isinstance(have, list) and foreign:
            yield from self._extra_items(have, node, owners, path)

    def _extra_items(self, have: list[Any], node: Node | None, owners: Owners, path: FieldPath) -> Iterator[Difference]:
        """The items that somebody wrote of a list that is not compiled."""
        keys, rule = _keys(node, owners), node.rule if node is not None else None
        for position, item in enumerate(have):
            below = (ABSENT, item, ABSENT, ABSENT)
            schema = node.items if node is not None else None
            if keys and isinstance(item, dict):
                inner = below_item(owners, item, rule.defaults if rule is not None else ())
                yield from self._extra(below, schema, inner, (*path, _named(item, keys)))
            else:
                yield from self._extra(below, schema, below_value(owners, item), (*path, position))

    def _is_default(self, filled: Any, have: Any, node: Node | None) -> bool:
        """Whether a live value is what the server fills in."""
        if isinstance(filled, Exception):
            return True
        if isinstance(filled, dict) and isinstance(have, dict):
            inner = node.child if node is not None else lambda _: None
            return all(
                self._is_default(_at(filled, name), item, inner(str(name)))
                for name, item in have.items()
                if not (is_nothing(item) and name not in filled)
            )
        if isinstance(filled, list) and isinstance(have, list):
            items = node.items if node is not None else None
            return len(filled) == len(have) and all(
                self._is_default(one, other, items) for one, other in zip(filled, have, strict=True)
            )
        return filled is not ABSENT and agree(node, filled, have)

    # ---- lists

    def _lists(self, sides: Sides, node: Node | None, owners: Owners, path: FieldPath) -> Iterator[Difference]:
        want, have, _, _ = sides
        rule = node.rule if node is not None else None
        keys = _keys(node, owners)
        defaults = dict(rule.defaults) if rule is not None else {}
        mine, theirs = _by_key(want, keys, defaults), _by_key(have, keys, defaults)
        if keys and mine is not None and theirs is not None:
            yield from self._joined(sides, (mine, theirs), rule, node, owners, path)
        elif (
            ((rule is not None and rule.strategy == "set") or is_set(owners)) and _are_plain(want) and _are_plain(have)
        ):
            yield from self._set(sides, node, owners, path)
        else:
            yield from self._in_place(sides, node, owners, path)

    def _joined(
        self,
        sides: Sides,
        items: tuple[dict[Item, Any], dict[Item, Any]],
        rule: ListRule | None,
        node: Node | None,
        owners: Owners,
        path: FieldPath,
    ) -> Iterator[Difference]:
        mine, theirs = items
        defaults = dict(rule.defaults) if rule is not None else {}
        keys = _keys(node, owners)
        filled, applied = (
            (_by_key(side, keys, defaults) or {}) if isinstance(side, list) else {} for side in sides[2:]
        )
        inner = node.items if node is not None else None
        for name in [*mine, *(name for name in theirs if name not in mine)]:
            item = theirs[name] if name in theirs else mine[name]
            below = (
                mine.get(name, ABSENT),
                theirs.get(name, ABSENT),
                filled.get(name, ABSENT),
                applied.get(name, ABSENT),
            )
            shown = _named(item, keys)
            yield from self.value(below, inner, below_item(owners, item, defaults.items()), (*path, shown))
        is_in_order = (inner is not None and inner.name in _IN_ORDER) or path[-1:] == ("initContainers",)
        follows = [name for name in mine if name in theirs]
        stands = [name for name in theirs if name in mine]
        if is_in_order and follows != stands:
            told = tuple(
                [_named(side[name], keys) for name in names] for side, names in ((mine, follows), (theirs, stands))
            )
            yield Difference(
                path, "order", [str(one) for one in told[0]], [str(one) for one in told[1]], self._writer(owners)
            )

    def _set(self, sides: Sides, node: Node | None, owners: Owners, path: FieldPath) -> Iterator[Difference]:
        want, have, filled, applied = sides
        inner = node.items if node is not None else None
        for position, item in enumerate(want):
            if not any(agree(inner, item, other) for other in have):
                yield Difference((*path, position), "missing", item, ABSENT, None)
        for position, item in enumerate(have):
            if not any(agree(inner, other, item) for other in want):
                below = (ABSENT, item, _if_in(item, filled), _if_in(item, applied))
                yield from self._extra(below, inner, below_value(owners, item), (*path, position))

    def _in_place(self, sides: Sides, node: Node | None, owners: Owners, path: FieldPath) -> Iterator[Difference]:
        """A list whose items are told apart by their places only."""
        want, have, filled, applied = sides
        inner = node.items if node is not None else None
        if len(want) == len(have) and not (_are_plain(want) and _are_plain(have)):
            for position, (one, other) in enumerate(zip(want, have, strict=True)):
                below = (one, other, _nth(filled, position, len(want), one), _nth(applied, position, len(have), ABSENT))
                yield from self.value(below, inner, owners, (*path, position))
            return
        if _is_within(want, have, inner):
            is_written = any(self._is_foreign(owned.writer) for owned in owners) or self._is_strict
            is_applied = isinstance(applied, list) and len(applied) >= len(have)
            if len(want) == len(have) or not (is_written or is_applied):
                return
        if is_nothing(want) and is_nothing(have):
            return
        if not self.is_probed and isinstance(filled, list) and self._is_default(filled, have, node):
            return
        if not self._is_excused(owners):
            yield Difference(path, "changed", want, have, self._writer(owners))


def _keys(node: Node | None, owners: Owners) -> tuple[str, ...]:
    """By what the items of a list are told apart; nothing where only by their places or their values."""
    rule = node.rule if node is not None else None
    if rule is not None and rule.is_stated:
        return rule.keys if rule.strategy == "merge" else ()
    return keys_of(owners)


def _is_within(want: Sequence[Any], have: Sequence[Any], inner: Node | None) -> bool:
    """Whether all wanted items stand in a live list, in their order."""
    rest = iter(have)
    return all(any(_holds(item, other, inner) for other in rest) for item in want)


def _holds(want: Any, have: Any, node: Node | None) -> bool:
    """Whether a live value has all that is wanted of it, whoever wrote it."""
    walk = _Walk(Rules(), None, is_strict=False)
    return next(walk.value((want, have, want, ABSENT), node, (), ()), None) is None


def _at(value: Any, name: Any) -> Any:
    return value.get(name, ABSENT) if isinstance(value, dict) else ABSENT


def _is_free_map(value: Any, node: Node | None) -> bool:
    """Whether a value is a map of names that are nobody's but the author's, as labels are."""
    return isinstance(value, dict) and node is not None and node.type == "map" and not node.fields


def _nth(value: Any, position: int, length: int, other: Any) -> Any:
    return value[position] if isinstance(value, list) and len(value) == length else other


def _if_in(item: Any, values: Any) -> Any:
    return item if isinstance(values, list) and item in values else ABSENT


def _are_plain(values: Sequence[Any]) -> bool:
    return not any(isinstance(item, dict | list) for item in values)


def _named(item: dict[str, Any], keys: tuple[str, ...]) -> Item:
    return Item(tuple((name, item[name]) for name in keys if name in item))


def _by_key(items: Any, keys: tuple[str, ...], defaults: dict[str, Any]) -> dict[Item, Any] | None:
    """Items by the values of their keys, those that are left out included; None when they cannot be told apart."""
    found: dict[Item, Any] = {}
    for item in items if keys and isinstance(items, list) else ():
        if not isinstance(item, dict):
            return None
        said = {**defaults, **item}
        name = Item(tuple((key, said[key]) for key in keys if key in said and not isinstance(said[key], dict | list)))
        if not name.keys or name in found:
            return None
        found[name] = item
    return found


def writers_of(live: Value) -> tuple[Writer, ...]:
    """Everybody who wrote a live object, the last one last."""
    return tuple(owned.writer for owned in owners_of(live))


def is_going(live: Value) -> str:
    """Since when an object is being deleted; empty when it is not."""
    return str(map_at(live, "metadata").get("deletionTimestamp") or "")
