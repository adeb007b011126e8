"""Documents of overlays that name what is not there, told apart from what is meant to be new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.identity import select
from envcompile.compose.layers import NEW_ANNOTATION
from envcompile.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.compose.layers import Newcomer, Origin, Stray
    from envcompile.errors import Problems
    from envcompile.model import ResourceId


class Meant:
    """The resources that documents without a target could have meant, by name and by kind: such documents may be many.

    Args:
        identities: the resources of the layers up to that of the documents.
    """

    __slots__ = ("_named", "_names")

    def __init__(self, identities: Iterable[ResourceId]) -> None:
        self._named: dict[str, list[ResourceId]] = {}
        names: dict[str, list[str]] = {}
        for identity in identities:
            self._named.setdefault(identity.name, []).append(identity)
            names.setdefault(identity.kind.lower(), []).append(identity.name)
        self._names = {kind: tuple(of_kind) for kind, of_kind in names.items()}

    def named(self, name: str) -> Sequence[ResourceId]:
        """Those of a name."""
        return self._named.get(name, ())

    def names(self, kind: str) -> tuple[str, ...]:
        """What those of a kind are called."""
        return self._names.get(kind.lower(), ())


def report_stray(stray: Stray, meant: Meant, problems: Problems) -> None:
    """Note a document that neither patches a resource nor is a complete new one.

    Args:
        stray: the document.
        meant: what it could have meant.
        problems: takes what is wrong.
    """
    fix = _nearest(stray.id, meant, known_kind=stray.known_kind)
    if stray.missing:
        fix += f"\n      as a new resource it is not complete: {stray.missing}"
    problems.add(f"the patch has no target: {stray.id} is in no layer below{stray.way}", fix, stray.where)


def _nearest(identity: ResourceId, meant: Meant, *, known_kind: bool) -> str:
    known = meant.named(identity.name.rpartition("/")[2])
    elsewhere = [other for other in select(f"{identity.kind}/{identity.name}", known) if other != identity]
    if elsewhere:
        other = elsewhere[0]
        if other.group != identity.group:
            return f"did you mean {other}? Its API group is `{other.group or 'core (v1)'}`"
        if other.namespace == identity.namespace:
            return f"did you mean {other}? Kinds are told apart by capitals"
        return f"did you mean {other}? Write `namespace: {other.namespace}` into the patch's metadata"
    otherwise = (
        f'to add it as a new resource, annotate it with {NEW_ANNOTATION}: "true"'
        if not known_kind
        else "a patch needs a resource of the same group, kind, namespace and name in base or a layer below"
    )
    by_name = did_you_mean(identity.name, meant.names(identity.kind), "")
    if by_name:
        return by_name + (f" ({otherwise})" if not known_kind else "")
    same_name = [other.short for other in meant.named(identity.name)]
    return f"did you mean {' or '.join(same_name[:3])}?" if same_name else otherwise


def look_alikes(
    known: Iterable[tuple[Origin, ResourceId]], newcomers: Iterable[Newcomer]
) -> Iterator[tuple[Newcomer, ResourceId]]:
    """Complete new resources whose name looks like a slip of the pen, each with the resource that may be meant.

    Args:
        known: all resources of the environment, with where they were created.
        newcomers: what overlays add without saying that it is meant.
    """
    todo = list(newcomers)
    if not todo:
        return
    from difflib import SequenceMatcher

    origins = {identity: origin for origin, identity in known}
    wanted = {newcomer.id[:3] for newcomer in todo}
    alike: dict[tuple[str, str, str, str], list[ResourceId]] = {}
    for identity in origins:
        if identity[:3] in wanted:
            for shorter in _with_one_letter_less(identity.name):
                alike.setdefault((*identity[:3], shorter), []).append(identity)
    for newcomer in todo:
        identity = newcomer.id
        own = origins.get(identity)
        if own is None:
            continue
        near = {other for shorter in _with_one_letter_less(identity.name) for other in alike[*identity[:3], shorter]}
        for other in sorted(near, key=lambda one: (origins[one], one)):
            if origins[other] >= own:
                break
            if not _one_slip(other.name, identity.name):
                continue
            if SequenceMatcher(None, other.name, identity.name).quick_ratio() > 0.9:
                yield newcomer, other
                break


def _with_one_letter_less(name: str) -> set[str]:
    """The name, and what is left without each of its letters: names that are one slip apart share one of these."""
    return {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}


def _one_slip(left: str, right: str) -> bool:
    """Tell whether two names differ by one letter added, lost or changed (digits count as intended)."""
    if abs(len(left) - len(right)) > 1:
        return False
    head = 0
    while head < min(len(left), len(right)) and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < min(len(left), len(right)) - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    rest = left[head : len(left) - tail] + right[head : len(right) - tail]
    return len(rest) <= 2 and rest.isalpha()
