"""Resources of a unit held against their texts of the last compiled state: which of them may have changed too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.immutable import can_refuse
from envcompile.check.api.staying import pieces_of, says
from envcompile.emit.manifests import render
from envcompile.git.blob import blob_id
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envcompile.actions.older import OlderState
    from envcompile.model import Resource, ResourceId

    Bodies = tuple[tuple[int, str], ...]
    """Numbers of resources with fields that must stay, and git's name of a text that says of these what they say."""

_UNKNOWN: Final = ""


class Holding:
    """Holds the units of one environment against its older state.

    Args:
        state: that.
        looks_back: tells whether a resource is of a kind whose own rules speak of what it was.
    """

    def __init__(self, state: OlderState, looks_back: Callable[[Resource], bool]) -> None:
        self._state = state
        self._looks_back = looks_back
        self._renderer = Renderer()

    def changed(
        self, resources: Callable[[], Sequence[Resource]], places: Sequence[str], known: Bodies | None
    ) -> tuple[Bodies, list[tuple[Resource, dict[str, Any]]]]:
        """List the resources of a unit that are to be compared with what they were, each with that.

        Args:
            resources: gives those of the unit.
            places: where they are now, whatever the layout.
            known: what this gave for the unit as it is, the last time; None when it was not asked yet.

        Returns:
            What is known now, and the resources.
        """
        state = self._state
        if known is None:
            known = tuple(
                (position, _UNKNOWN)
                for position, one in enumerate(resources())
                if can_refuse(one.id.group, one.id.kind) or self._looks_back(one)
            )
        bodies: list[tuple[int, str]] = []
        unsure: list[tuple[int, list[str]]] = []
        for position, blob in known:
            files = state.places(places[position])
            if blob != _UNKNOWN and all(state.holds(file, blob) for file in files):
                bodies.append((position, blob))
            elif files:
                unsure.append((position, files))
            else:
                bodies.append((position, _UNKNOWN))
        if not unsure:
            return tuple(bodies), []
        values = resources()
        older: dict[ResourceId, tuple[Resource, dict[str, Any]]] = {}
        texts = state.texts([file for _, (file, *others) in unsure if "/" in file and not others])
        for position, files in unsure:
            one, blob = values[position], _UNKNOWN
            text = texts.get(files[0])
            if text is not None and not self._looks_back(one):
                pieces = pieces_of(one.id.group, one.id.kind, one.value)
                if pieces is not None and says(text, pieces):
                    bodies.append((position, blob_id(text, state.digits)))
                    continue
            blob = blob_id(render(one, self._renderer).encode(), state.digits)
            bodies.append((position, blob))
            for file in files:
                value = state.value(file, one.id) if not state.holds(file, blob) else None
                if value is not None:
                    older[one.id] = (one, value)
        return tuple(bodies), list(older.values())
