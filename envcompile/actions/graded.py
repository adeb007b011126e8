"""How findings become what is told: the field in words, the line in the sources, the grade, and what sets one aside.

One way for all who ask rules: `check` (and with it the editor and pages) by unit and with a memo, and whoever compares
two states (`looking`), of a part of an environment and without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from envcompile.check.rules.catalogue import ABOUT_SUPPRESSIONS
from envcompile.check.rules.suppressions.ignore_unused import RULE as UNUSED
from envcompile.check.suppressions import Suppression
from envcompile.kubernetes.fieldpath import format_field
from envcompile.units.field_places import field_path, source_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from envcompile.check.finding import Hit
    from envcompile.check.grading import Grading
    from envcompile.check.rule import Rule
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Location, Pointer, Resource, ResourceId
    from envcompile.units.field_places import Context


class _Found(Protocol):
    """Something that a rule found."""

    @property
    def rule(self) -> str: ...
    @property
    def resource(self) -> ResourceId: ...
    @property
    def fingerprint(self) -> str: ...


class _Entry(Protocol):
    """An entry of an annotation that sets findings aside."""

    @property
    def resource(self) -> ResourceId: ...
    @property
    def rule(self) -> str: ...
    @property
    def reason(self) -> str: ...


F = TypeVar("F", bound=_Found)
E = TypeVar("E", bound=_Entry)


def field_of(api: KubeApi, resource: Resource, pointer: Pointer) -> str:
    """A field in words, items of lists by their merge keys, so that it stays the same when they move."""
    group, _, version = str(resource.value.get("apiVersion", "")).rpartition("/")
    there, missing = field_path(pointer, resource.value, api.node(group, version, resource.id.kind))
    return format_field((*there, *missing))


def told(context: Context, resource: Resource, hit: Hit) -> tuple[str, Location | None]:
    """What a hit says, with the places of further fields that it takes to be wrong, and its own place."""
    what, where = hit.what, source_place(context, resource, hit.pointer)
    for pointer in hit.beside if where is not None else ():
        other = source_place(context, resource, pointer)
        if where is not None and other is not None and other.file != where.file:
            what += f" (`{pointer[-1]}` is from {other.file}:{other.line})"
    return what, where


def by_rule(entries: Iterable[E]) -> dict[tuple[ResourceId, str], E]:
    """Entries by resource and rule; of two for the same rule the one with a reason."""
    found: dict[tuple[ResourceId, str], E] = {}
    for entry in entries:
        key = (entry.resource, entry.rule)
        if entry.reason or key not in found:
            found[key] = entry
    return found


def set_aside(
    found: Iterable[F], entries: dict[tuple[ResourceId, str], E]
) -> tuple[dict[str, F], dict[str, tuple[F, E]]]:
    """Part what counts from what an entry with a reason sets aside; each thing once, by its fingerprint."""
    findings: dict[str, F] = {}
    ignored: dict[str, tuple[F, E]] = {}
    for one in found:
        entry = entries.get((one.resource, one.rule))
        if entry is not None and entry.reason:
            ignored.setdefault(one.fingerprint, (one, entry))
        else:
            findings.setdefault(one.fingerprint, one)
    return findings, ignored


def about_entries(
    entries: Iterable[E], grades: Grading, every: Collection[str], asked: Collection[str], used: Collection[E]
) -> Iterator[tuple[Rule, E, Hit]]:
    """What is wrong with entries themselves.

    Args:
        entries: the entries of an environment.
        grades: how grave findings are.
        every: the rules that there are.
        asked: those of them that are asked here: what nobody asks now may be there for another day.
        used: entries that set something aside.
    """
    own = [rule for rule in ABOUT_SUPPRESSIONS if not grades.is_off(rule.id)]
    for entry in entries:
        said = Suppression(entry.resource, entry.rule, entry.reason)
        for rule in own:
            known = asked if rule is UNUSED else every
            hit = rule.judge(said, known, is_used=entry in used) if rule.judge is not None else None
            if hit is not None:
                yield rule, entry, hit
