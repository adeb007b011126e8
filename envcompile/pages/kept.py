"""What the next state of a project may take over from the former one, because what it is made of is the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.actions.cost import Costs
    from envcompile.actions.cost_history import CostHistory
    from envcompile.actions.origins import EnvironmentOrigins, ResourceOrigins
    from envcompile.model import ResourceId
    from envcompile.units.environment import LinkedEnvironment

Marked = dict["ResourceId", tuple[str, "ResourceOrigins"]]
"""Resource -> the key of the unit that it is compiled in, and where its fields are from."""


class Carried(NamedTuple):
    """What was worked out of a state with the same history."""

    origins: Mapping[str, Marked] = MappingProxyType({})
    """By environment."""
    compiled: tuple[str, ...] = ()
    prices: Any = None
    cost_history: CostHistory | None = None

    def origins_in(self, linked: LinkedEnvironment) -> dict[ResourceId, ResourceOrigins]:
        """The origins of resources that are compiled from what they were compiled from.

        Args:
            linked: an environment of the next state.
        """
        marked = self.origins.get(linked.environment, {})
        return {identity: found for identity, (key, found) in marked.items() if _key(linked, identity) == key}

    def cost_history_at(self, today: Costs, compiled: tuple[str, ...]) -> CostHistory | None:
        """What environments cost in the past, when prices and environments are the same; None when not.

        Args:
            today: what they cost now, at which prices.
            compiled: those that compile.
        """
        is_same = (self.prices, self.compiled) == (today.prices, compiled)
        return self.cost_history if is_same else None


def marks_of(linked: LinkedEnvironment, found: EnvironmentOrigins) -> Marked:
    """The origins of an environment, each with what it depends on besides the history.

    A resource into which other units have a say is left out.

    Args:
        linked: the environment.
        found: where everything in it is from.
    """
    return {one.id: (key, one) for one in found.resources if (key := _key(linked, one.id))}


def _key(linked: LinkedEnvironment, identity: ResourceId) -> str:
    """The key of the unit that alone makes a resource; empty for none."""
    place = linked.place_in_units(identity)
    return linked.plan.units.keys[place[0]] if place is not None else ""
