"""What somebody may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.model import Resource


def suggestion(name: str, known: Iterable[str]) -> str:
    """`did you mean …? ` for a name that is close to a known one; empty otherwise."""
    near = nearest(name, known, limit=1)
    return f"did you mean `{near[0]}`? Else " if near else ""


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
