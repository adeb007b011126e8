"""What a change costs a month, and which fields are the cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cost.counts import map_in, scaler_of
from envcompile.cost.estimate import Money, Terms, default_requests, item_of, scalers_of, target_of
from envcompile.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.cost.estimate import Estimate, Item
    from envcompile.cost.prices import Facts, Rates
    from envcompile.model import ResourceId

_WHOLE: Final = frozenset({"default", "defaultRequest", "overhead", "resources", "scaleTargetRef"})
"""Fields of which every part has a say."""
_PARTS: Final = frozenset({
    "annotations",
    "completions",
    "containers",
    "ephemeral",
    "ingressClassName",
    "initContainers",
    "jobTargetRef",
    "jobTemplate",
    "kubernetes.io/ingress.class",
    "limits",
    "maxReplicaCount",
    "maxReplicas",
    "metadata",
    "minReplicaCount",
    "minReplicas",
    "name",
    "parallelism",
    "replicas",
    "restartPolicy",
    "schedule",
    "spec",
    "storageClassName",
    "suspend",
    "template",
    "type",
    "volumeClaimTemplate",
    "volumeClaimTemplates",
    "volumes",
})
"""Fields that have a say, or parts of which have."""

_ORDERED: Final = "initContainers"
"""The list of which the order has a say."""

Flat = dict[tuple[str, ...], Any]
"""The fields of a resource that have a say in what it costs; a list's items by name, as `[name=web]`."""


class Cause(NamedTuple):
    """One field of which the change changes what a resource costs."""

    resource: ResourceId
    """The resource that has the field: the one that costs, its autoscaler, a LimitRange."""
    field: str
    """Empty for the whole resource, which came or went."""
    old: Any
    new: Any
    money: Money
    """What it adds a month; fields that change together are counted one after the other, in the manifest's order."""


class ItemChange(NamedTuple):
    """One resource that costs another amount than before."""

    resource: ResourceId
    app: str
    before: Money
    after: Money
    causes: tuple[Cause, ...]

    @property
    def money(self) -> Money:
        """What is added a month."""
        return self.after.minus(self.before)


class CostChange(NamedTuple):
    """What a change adds to the costs of one environment."""

    environment: str
    before: Money
    after: Money
    items: tuple[ItemChange, ...]

    @property
    def money(self) -> Money:
        """What is added a month."""
        return self.after.minus(self.before)


class Side(NamedTuple):
    """One of the two states that are compared."""

    resources: Sequence[Resource]
    estimate: Estimate


def item_changes(before: Side, after: Side, rates: Rates, factor: Any, facts: Facts) -> tuple[ItemChange, ...]:
    """The resources that cost another amount than before, the largest difference first.

    Args:
        before: the older state, priced with the same rates.
        after: the newer one.
        rates: prices of an hour.
        factor: by what every amount is multiplied.
        facts: what is known beside the manifests.
    """
    old, new = ({item.resource: item for item in side.estimate.items} for side in (before, after))
    weigh = _Scales(before, after, rates, factor, facts)
    found = []
    for identity in {**old, **new}:
        was, now = old.get(identity), new.get(identity)
        less, more = (item.money if item is not None else Money() for item in (was, now))
        if less != more:
            app = _app(now) or _app(was)
            found.append(ItemChange(identity, app, less, more, tuple(weigh.causes(identity, was, now))))
    return tuple(sorted(found, key=lambda change: (-abs(change.money.expected.total), -abs(change.money.most.total))))


def _app(item: Item | None) -> str:
    return item.app if item is not None else ""


class _Scales:
    """Weighs one field after the other, from the older state to the newer one."""

    def __init__(self, before: Side, after: Side, rates: Rates, factor: Any, facts: Facts) -> None:
        self._sides = tuple({resource.id: resource for resource in side.resources} for side in (before, after))
        self._scalers = tuple(scalers_of(side.resources) for side in (before, after))
        self._terms = Terms(rates, factor, facts, {})

    def causes(self, identity: ResourceId, was: Item | None, now: Item | None) -> Iterator[Cause]:
        if was is None or now is None:
            held = now or was
            money = (now.money if now else Money()).minus(was.money if was else Money())
            yield Cause(held.resource if held else identity, "", None, None, money)
            return
        state: dict[ResourceId, Flat | None] = {}
        steps: list[tuple[ResourceId, tuple[str, ...], Any, Any]] = []
        for involved in self._involved(identity):
            old, new = (_flat_of(side.get(involved)) for side in self._sides)
            state[involved] = old
            if old is None or new is None:
                steps.append((involved, (), old, new))
                continue
            changed = [way for way in {**old, **new} if old.get(way) != new.get(way)]
            steps += [(involved, way, old.get(way), new.get(way)) for way in changed]
        weight = was.money
        for involved, way, old, new in steps:
            flat = state[involved]
            if not way:
                state[involved] = new
            elif flat is not None:
                state[involved] = {**{key: held for key, held in flat.items() if key != way or new is not None}}
                if new is not None:
                    state[involved] = {**(state[involved] or {}), way: new}
            after = self._weigh(identity, state)
            added = after.minus(weight)
            weight = after
            if added != Money():
                yield Cause(involved, written(way), None if not way else old, None if not way else new, added)
        rest = now.money.minus(weight)
        if rest != Money():  # what the fields do not say: which init container is started first
            lists = [way[: way.index(_ORDERED) + 1] for way in state[identity] or () if _ORDERED in way]
            yield Cause(identity, written(lists[0]) if lists else "", None, None, rest)

    def _involved(self, identity: ResourceId) -> Iterator[ResourceId]:
        """The resource, its autoscalers, and the LimitRanges of its namespace, as either side has them."""
        yield identity
        found = [scaler.resource for side in self._scalers for scaler in side.get(target_of(identity), ())]
        found += [
            name
            for side in self._sides
            for name in side
            if name.kind == "LimitRange" and name.namespace == identity.namespace
        ]
        yield from dict.fromkeys(found)

    def _weigh(self, identity: ResourceId, state: dict[ResourceId, Flat | None]) -> Money:
        values = [Resource(name, _nested(flat), "", ()) for name, flat in state.items() if flat is not None]
        scalers = [found for each in values if (found := scaler_of(each.id, each.value)) is not None]
        mine = [scaler for scaler in scalers if scaler.target == target_of(identity)]
        terms = self._terms._replace(defaults=default_requests(values))
        item = item_of(identity, values[0].value, "", mine, terms)
        return item.money if item is not None else Money()


def _flat_of(resource: Resource | None) -> Flat | None:
    return None if resource is None else dict(_flatten(resource.value, ()))


def _flatten(value: Any, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, held in value.items():
            if key in _PARTS or key in _WHOLE or not _WHOLE.isdisjoint(way):
                yield from _flatten(held, (*way, str(key)))
    elif isinstance(value, list):
        for position, held in enumerate(value):
            name = held.get("name") or map_in(held, "metadata").get("name") if isinstance(held, dict) else None
            yield from _flatten(held, (*way, f"[name={name}]" if name else f"[{position}]"))
    else:
        yield way, value


def _nested(flat: Flat) -> dict[str, Any]:
    """The resource again, of the fields that have a say."""
    root: dict[str, Any] = {}
    for way, value in flat.items():
        at = root
        for key in way[:-1]:
            at = at.setdefault(key, {})
        at[way[-1]] = value
    found = _listed(root)
    return found if isinstance(found, dict) else {}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.startswith("[") for key in value):
        return [_listed(held) for held in value.values()]
    return {key: _listed(held) for key, held in value.items()}


def written(way: tuple[str, ...]) -> str:
    """A way as people write it: `spec.template.spec.containers[name=web].resources.requests.cpu`."""
    return "".join(part if part.startswith("[") else f".{part}" for part in way).removeprefix(".")
