"""What somebody may have meant."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from envcompile.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.model import Resource


def suggestion(name: str, known: Iterable[str]) -> str:
    """`did you mean …? ` for a name that is close to a known one; empty otherwise."""
    near = nearest(name, known, limit=1)
    return f"did you mean `{near[0]}`? Else " if near else ""


One = TypeVar("One")
_TOLD: Final = 10
"""So many of one finding's workloads are told of one by one."""


def told(found: Iterable[tuple[str, One]]) -> Iterator[tuple[str, str, One]]:
    """What is told of the workloads that one selector finds: each, or where there are many all of them at once.

    Every pair of thousands of budgets and thousands of workloads would be millions of findings.

    Args:
        found: name and what is known of each; no more than a few are asked for.

    Returns:
        the name to show, the name of the first that it stands for, and what is known of that.
    """
    few = list(islice(found, _TOLD + 1))
    if len(few) <= _TOLD:
        yield from ((name, name, one) for name, one in few)
    else:
        yield f"{', '.join(name for name, _ in few[:_TOLD])} and others", *few[0]


class NamesOfKinds:
    """What the resources of an environment are called: of each kind put together once, however many names are wrong."""

    __slots__ = ("_names", "_resources")

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources = tuple(resources)
        self._names: dict[tuple[str, str, str | None], tuple[str, ...]] = {}

    def of(self, group: str, kind: str, namespace: str | None = None) -> tuple[str, ...]:
        """The names of a kind, in one namespace or in all."""
        key = (group, kind, namespace)
        if key not in self._names:
            found = (each.id for each in self._resources if each.id[:2] == key[:2])
            self._names[key] = tuple(each.name for each in found if namespace in {None, each.namespace})
        return self._names[key]
