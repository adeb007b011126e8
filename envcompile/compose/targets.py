"""`kind: Patch`: which resources one patch reaches, and its change laid over each of them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

from envcompile.compose.json6902 import Json6902Error, apply_operation
from envcompile.errors import EnvcError, fail, nearest
from envcompile.model import Step
from envcompile.record import Record
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.compose.layers import Layering
    from envcompile.errors import Problems
    from envcompile.model import Document, Resource, ResourceId
    from envcompile.settings import Patch, Target


class Globs(Protocol):
    """What a target says of identities; None names everything."""

    @property
    def kind(self) -> str | None:
        """Glob for the kind, whose case does not matter."""
        ...

    @property
    def group(self) -> str | None:
        """Glob for the API group."""
        ...

    @property
    def name(self) -> str | None:
        """Glob for the name."""
        ...

    @property
    def namespace(self) -> str | None:
        """Glob for the namespace."""
        ...


class Requirement(Record, frozen=True):
    """One term of a label selector, as `kubectl -l` reads it."""

    key: str
    operator: str
    values: frozenset[str]

    def holds(self, labels: dict[str, Any]) -> bool:
        """Tell whether the labels satisfy the term (apimachinery labels.Requirement.Matches)."""
        present = self.key in labels
        if self.operator == "exists":
            return present
        if self.operator == "absent":
            return not present
        value = labels.get(self.key)
        inside = isinstance(value, str) and value in self.values
        return inside if self.operator == "in" else not inside


def parse_selector(text: str) -> list[Requirement]:
    """Read a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.

    Raises:
        ValueError: the text is no selector.
    """
    import re

    requirements = []
    for part in re.split(r",(?![^(]*\))", text):
        term = part.strip()
        if match := re.fullmatch(r"([\w./-]+)\s+(in|notin)\s*\(([^()]*)\)", term):
            values = frozenset(value.strip() for value in match[3].split(","))
            requirements.append(Requirement(match[1], match[2], values))
        elif match := re.fullmatch(r"([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)", term):
            requirements.append(Requirement(match[1], "notin" if match[2] == "!=" else "in", frozenset({match[3]})))
        elif match := re.fullmatch(r"(!?)\s*([\w./-]+)", term):
            requirements.append(Requirement(match[2], "absent" if match[1] else "exists", frozenset()))
        else:
            raise ValueError(term)
    return requirements


class Matcher:
    """Tells which resources a target names."""

    __slots__ = ("_labels", "_target")

    def __init__(self, target: Target, document: Document) -> None:
        self._target = target
        try:
            self._labels = parse_selector(target.label_selector) if target.label_selector else []
        except ValueError as error:
            raise fail(
                f"`labelSelector` has a term that is no selector: `{error}`",
                "write it as for `kubectl -l`: app=web,tier!=cache,env in (dev,test),!legacy",
                place(document, ("target", "labelSelector")),
            ) from error

    def matches(self, resource: Resource) -> bool:
        """Tell whether the target names the resource; a field left out names everything."""
        if not may_reach(self._target, resource.id):
            return False
        if not self._labels:
            return True
        labels = resource.value["metadata"].get("labels")
        labels = labels if isinstance(labels, dict) else {}
        return all(requirement.holds(labels) for requirement in self._labels)


def apply_patch(layering: Layering, layer: str, document: Document, patch: Patch, problems: Problems) -> bool:
    """Lay one `kind: Patch` over every resource that it names; tell whether there was one.

    Raises:
        EnvcError: its label selector is none.
    """
    matcher = Matcher(patch.target, document)
    hits = [resource for resource in layering.candidates(patch.target) if matcher.matches(resource)]
    for resource in hits:
        if patch.merge is not None:
            layering.patch(resource, "merge", layer, document, ("merge",), patch.merge)
        else:
            _apply_operations(layering, resource, layer, document, patch, problems)
    return bool(hits)


class KnownNames:
    """The kinds and the names of an environment's resources, which every Patch that hits none is compared with."""

    __slots__ = ("kinds", "names")

    def __init__(self, identities: Iterable[ResourceId]) -> None:
        known = list(identities)
        self.kinds = frozenset(identity.kind for identity in known)
        self.names = frozenset(identity.name for identity in known)


def report_missed(document: Document, patch: Patch, known: KnownNames, problems: Problems) -> None:
    """Note a Patch that hits no resource of its environment, unless it is optional.

    Args:
        document: where it stands.
        patch: what it says.
        known: what the environment has.
        problems: takes what is wrong.
    """
    try:
        Matcher(patch.target, document)
    except EnvcError as error:
        problems.extend(error)
        return
    if not patch.optional:
        problems.add(
            f"the Patch{_named(patch)} hits no resource",
            _advice(patch.target, known),
            place(document, ("target",)),
        )


def may_reach(target: Globs, identity: ResourceId) -> bool:
    """Tell whether a target can name a resource of an identity, whatever its labels."""
    return (
        (target.name is None or fnmatchcase(identity.name, target.name))
        and (target.kind is None or fnmatchcase(identity.kind.lower(), target.kind.lower()))
        and (target.group is None or fnmatchcase(identity.group, target.group))
        and (target.namespace is None or fnmatchcase(identity.namespace, target.namespace))
    )


def _apply_operations(
    layering: Layering, resource: Resource, layer: str, document: Document, patch: Patch, problems: Problems
) -> None:
    for position, operation in enumerate(patch.json6902 or ()):
        current = layering.resources[resource.id]
        try:
            after = apply_operation(current.value, operation)
        except Json6902Error as error:
            problems.add(
                f"operation {position + 1} of the Patch{_named(patch)} fails on {resource.id}: {error.what}",
                error.fix,
                place(document, ("json6902", position)),
            )
            return
        step = Step("json6902", layer, document, ("json6902", position), current.value, after)
        if not layering.replace(current, step):
            return


def _named(patch: Patch) -> str:
    return f" `{patch.metadata.name}`" if patch.metadata.name else ""


def _advice(target: Target, known: KnownNames) -> str:
    kinds, names = known.kinds, known.names
    wrong_kind = target.kind is not None and not any(fnmatchcase(kind.lower(), target.kind.lower()) for kind in kinds)
    near = nearest(target.kind or "", kinds) if wrong_kind else nearest(target.name or "", names)
    if near:
        return f"did you mean {' or '.join(f'`{match}`' for match in near)}?"
    return "correct its target (all fields are globs), or write `optional: true` when it may hit nothing"
