"""`knownTypeFields` of `argocd-cm`: fields of custom kinds that hold a type of Kubernetes' own, so amounts compare.

Source: Argo CD, "Diff Customization" (known Kubernetes types in CRDs), and `util/argo/normalizers/knowntypes.go`: a
field is a way of names with dots between, which goes on through every item of the lists it meets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.kubernetes.quantities import quantity
from envcompile.values import ABSENT, equal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.schema import Node
    from envcompile.model import ResourceId

_QUANTITY: Final = "core/quantity"


class KnownType(NamedTuple):
    """A field of a kind, and the type it holds."""

    group: str
    kind: str
    field: tuple[str, ...]
    type: str
    """As Argo CD writes it: `core/Quantity`, `core/v1/PodSpec`."""

    def concerns(self, identity: ResourceId) -> bool:
        """Whether the entry holds for an object."""
        return (self.group, self.kind) == (identity.group, identity.kind)


def known_type_of(group: str, kind: str, entry: Mapping[str, Any]) -> KnownType | None:
    """An entry as it is written; None for one that lacks its field or its type."""
    field, held = entry.get("field"), entry.get("type")
    if not (isinstance(field, str) and field and isinstance(held, str) and held):
        return None
    return KnownType(group, kind, tuple(field.split(".")), held)


def is_understood(known: KnownType, api: KubeApi) -> bool:
    """Whether it is known what a type holds."""
    return known.type.lower() == _QUANTITY or api.type_named(known.type) is not None


def settled(
    entries: Iterable[KnownType], identity: ResourceId, desired: dict[str, Any], live: dict[str, Any], api: KubeApi
) -> dict[str, Any]:
    """A live object whose amounts are written as the compiled one writes them, where they are worth the same.

    Args:
        entries: the fields that hold known types.
        identity: which object it is.
        desired: the compiled object.
        live: the live one, which stays as it is.
        api: the types.
    """
    for entry in entries:
        if entry.concerns(identity):
            node = api.type_named(entry.type)
            live = _at(entry.field, desired, live, node, is_amount=entry.type.lower() == _QUANTITY)
    return live


def _at(way: Sequence[str], want: Any, have: Any, node: Node | None, *, is_amount: bool) -> Any:
    """A live value whose part at the end of a way is written as the compiled one."""
    if isinstance(want, list) and isinstance(have, list):
        return [
            _at(way, one, other, node, is_amount=is_amount)
            for one, other in zip(_beside(want, have), have, strict=True)
        ]
    if not way:
        return _amount(want, have) if is_amount else _alike(want, have, node)
    if not (isinstance(want, dict) and isinstance(have, dict)) or way[0] not in want or way[0] not in have:
        return have
    inner = _at(way[1:], want[way[0]], have[way[0]], node, is_amount=is_amount)
    return {**have, way[0]: inner}


def _alike(want: Any, have: Any, node: Node | None) -> Any:
    if node is None:
        return have
    if isinstance(want, dict) and isinstance(have, dict):
        return {
            name: _alike(want[name], item, node.child(name)) if name in want else item for name, item in have.items()
        }
    if isinstance(want, list) and isinstance(have, list):
        return [_alike(one, other, node.items) for one, other in zip(_beside(want, have), have, strict=True)]
    return _amount(want, have) if node.type == "quantity" else have


def _amount(want: Any, have: Any) -> Any:
    if isinstance(want, dict | list) or isinstance(have, dict | list) or equal(want, have):
        return have
    amount = quantity(want)
    return want if amount is not None and amount == quantity(have) else have


def _beside(want: list[Any], have: list[Any]) -> list[Any]:
    """The compiled item that belongs to each live one: of the same name, else at the same place."""
    names = {item["name"]: item for item in want if isinstance(item, dict) and isinstance(item.get("name"), str)}
    if len(names) == len(want):
        return [names.get(item.get("name"), ABSENT) if isinstance(item, dict) else ABSENT for item in have]
    return [want[position] if position < len(want) else ABSENT for position in range(len(have))]
